"""The catalog: one SQLite file that is the truth about a library. It knows no file format, model or server."""

from imager.catalog.catalog import OWNER, RULES, Catalog, Statement
from imager.catalog.edits import Edit

__all__ = ["OWNER", "RULES", "Catalog", "Edit", "Statement"]
