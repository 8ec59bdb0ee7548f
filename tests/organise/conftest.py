"""Fixtures for the tests of what people arrange."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imager.catalog import Catalog
from tests.catalog.libraries import Devices


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    made = Devices(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def catalog(devices: Devices) -> Catalog:
    """An empty library on one device."""
    return devices.open()
