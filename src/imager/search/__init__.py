"""Search: from words to pictures, with the reason for every hit."""

from imager.search.text import Hit, Page, search

__all__ = ["Hit", "Page", "search"]
