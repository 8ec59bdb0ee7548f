"""Who may see and do what: one rule set, as SQL and as masks over asset numbers (`rules.py`)."""

from imager.access.rules import (
    Action,
    Principal,
    Role,
    albums_holding,
    grant,
    granted,
    may,
    revoke,
    role_on,
    visible_albums,
    visible_mask,
    visible_sql,
)

__all__ = [
    "Action",
    "Principal",
    "Role",
    "albums_holding",
    "grant",
    "granted",
    "may",
    "revoke",
    "role_on",
    "visible_albums",
    "visible_mask",
    "visible_sql",
]
