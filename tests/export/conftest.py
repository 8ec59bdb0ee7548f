"""Fixtures for the tests of exports."""

from tests.ingest.conftest import scene

__all__ = ["scene"]
