"""What a library knows by name: offered while people type, and asked when they name a place.

The parser and the completion know no catalog; whoever calls them hands in a `Vocabulary`. `imager.search` has one over
its index. Whatever isn't overridden is unknown, so that a vocabulary may know little.
"""

# ruff: noqa: ARG002 - what is not overridden knows nothing, whatever it is asked

from __future__ import annotations

from typing import NamedTuple, Protocol


class Located(NamedTuple):
    """Where a place is, and how it is called in full."""

    latitude: float  # degrees, WGS 84
    longitude: float
    label: str


class Vocabulary(Protocol):
    """Names that a library knows, most used first, each with the number of pictures that have it.

    A prefix is what was typed so far; it is compared without case and diacritics, and '' asks for the most used ones.
    """

    def locate(self, name: str) -> Located | None:
        """Where the place of that name lies; None where none is known."""
        return None

    def tags(self, prefix: str) -> list[tuple[str, int]]:
        """Full names of tags ('Animals|Dogs') of which some level begins with `prefix`."""
        return []

    def people(self, prefix: str) -> list[tuple[str, int]]:
        """Names of people of which some word begins with `prefix`."""
        return []

    def cameras(self) -> list[tuple[str, int]]:
        """All cameras ('make model')."""
        return []

    def lenses(self) -> list[tuple[str, int]]:
        """All lenses."""
        return []

    def places(self, prefix: str) -> list[tuple[str, int]]:
        """Names of places, cities, regions and countries that begin with `prefix`."""
        return []

    def albums(self, prefix: str) -> list[tuple[str, int]]:
        """Names of albums that begin with `prefix`."""
        return []

    def words(self, prefix: str) -> list[tuple[str, int]]:
        """Words of the full text that begin with `prefix`."""
        return []
