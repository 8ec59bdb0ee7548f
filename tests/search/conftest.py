"""A catalog to search in, as the catalog's own tests have it."""

from __future__ import annotations

from tests.catalog.conftest import catalog, devices, wall

__all__ = ["catalog", "devices", "wall"]
