"""Fixtures for the tests of ingest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imager.ingest import run
from tests.ingest.scenes import Inline, Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A folder and a library; files are read in this process."""
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    monkeypatch.setattr(Inline, "before", None)
    monkeypatch.setattr(Inline, "asked", [])
    made = Scene(tmp_path)
    yield made
    made.library.close()
