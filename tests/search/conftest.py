"""Catalogs to search in: an empty one as the catalog's own tests have it, and random ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalog.conftest import catalog, devices, wall
from tests.search.libraries import Made

__all__ = ["catalog", "devices", "made", "wall"]


@pytest.fixture(scope="package", params=[1, 2])
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Made]:
    """A random library; tests only look at it."""
    library = Made(tmp_path_factory.mktemp("library"), request.param)
    yield library
    library.close()
