"""Who asks, and what they may do at most: the dependency that every route declares, deny by default.

A route either says what it needs, `asker: Annotated[Asker, need("read")]`, or that it asks for nobody,
`dependencies=[public()]`; a test walks all routes and fails for one that says neither. What is checked here is the way
in: a valid session, key or link, and its scope. What the member behind it may see and do is checked by the library
itself (`imager.access`), which a desk opens for `asker.principal`.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import Depends, Request

from imager.access import Principal, Role
from imager.server import problems

Scope = Literal["read", "write", "upload", "share", "manage"]
Kind = Literal["local", "session", "key", "link"]

SCOPES: Final[tuple[Scope, ...]] = ("read", "write", "upload", "share", "manage")
_RANKS: Final[dict[Role | None, int]] = {None: 0, "viewer": 1, "editor": 2, "owner": 3}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks."""

    principal: Principal
    kind: Kind
    scopes: frozenset[Scope]
    """What it may at most; a session has all of them."""
    id: str
    """Of the session, key or share; for logs and limits, never a secret."""
    role: Role | None = None
    """The member's role on the library, as it was a second ago at the earliest."""

    @property
    def member(self) -> str:
        """The member on whose behalf is asked."""
        return self.principal.member


class Need:
    """What a route needs of who asks; FastAPI calls it, tests and the description read it."""

    def __init__(self, scope: Scope, role: Role | None, session: bool) -> None:
        self.scope, self.role, self.session = scope, role, session

    async def __call__(self, request: Request) -> Asker:
        """The asker, or the problem that they are nobody or may not."""
        asker = await of(request)
        if asker is None:
            raise problems.of_status(401, headers={"WWW-Authenticate": 'Bearer realm="Imager"'})
        if self.session and asker.kind not in ("local", "session"):
            raise problems.of_status(403, "This takes somebody who signed in; no API key may do it.")
        if self.scope not in asker.scopes:
            raise problems.of_status(403, f"This takes the scope '{self.scope}', which this API key does not have.")
        if _RANKS[asker.role] < _RANKS[self.role]:
            raise problems.of_status(403, f"Only who is {self.role} of the library may do that.")
        return asker


class Public:
    """Marks a route that asks for nobody."""

    async def __call__(self) -> None:
        """Let everybody in."""


def need(scope: Scope, *, role: Role | None = None, session: bool = False) -> Any:
    """What a route needs: a scope; `role`: at least this one on the library; `session`: no API key, a person.

    Answers 401 and 403 as problems.
    """
    return Depends(Need(scope, role, session))


def public() -> Any:
    """Mark a route that asks for nobody: `dependencies=[public()]`."""
    return Depends(Public())


async def of(request: Request) -> Asker | None:
    """Who sent a request; None: nobody who is known. A header counts before a cookie, and alone where it is there."""
    scope = request.scope
    if "imager_asker" not in scope:
        door = request.app.state.imager.door
        header = request.headers.get("authorization")
        if header is not None:
            way, _, token = header.partition(" ")
            found = await door.key(token.strip()) if way.lower() == "bearer" else None
        else:
            cookie = request.cookies.get(cookie_name(request))
            found = await door.session(cookie) if cookie else None
        scope["imager_asker"] = found
    asker: Asker | None = scope["imager_asker"]
    return asker


def cookie_name(request: Request) -> str:
    """What the cookie of a session is called here.

    Over TLS, a prefix that browsers give meaning to: nobody else of the same domain can set it. Without, the port,
    since cookies are shared by all ports of a computer.
    """
    settings = request.app.state.imager.settings
    if request.scope["scheme"] == "https":
        return "__Secure-imager" if settings.base_path else "__Host-imager"
    return f"imager-{settings.port}"
