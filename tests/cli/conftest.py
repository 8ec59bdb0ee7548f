"""Fixtures for the tests of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from imager.ingest import run
from tests.cli.program import Program
from tests.ingest.scenes import Inline


@pytest.fixture
def imager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Program:
    """The program, with a library and a folder `photos`, run in this process; files are read in it too."""
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    monkeypatch.setattr(Inline, "before", None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMAGER_LIBRARY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Program(tmp_path, monkeypatch, capfd)
