"""German."""

from __future__ import annotations

from typing import Final

from imager.query.understand.languages import Table

WORDS: Final[Table] = {}
