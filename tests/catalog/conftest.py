"""Fixtures for the tests of the catalog."""

from tests.catalog.fixtures import catalog, devices, wall

__all__ = ["catalog", "devices", "wall"]
