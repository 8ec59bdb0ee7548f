"""Folders that are followed while the library is served: what changes in them is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imager import watch
from imager.ingest import run
from imager.library import Library
from imager.server.settings import Settings
from tests.ingest.scenes import Inline
from tests.pictures import jpeg
from tests.server.client import Served


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "first.jpg").write_bytes(jpeg(61))
    return folder


@pytest.fixture
def settings(settings: Settings, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(watch, "QUIET", 0.05)
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    with Library.open(settings.library, create=False) as library:
        list(library.add(photos, workers=1))
    return replace(settings, watch=True)


def test_what_changes_in_a_folder_is_in_the_library_soon(served: Served, library: Library, photos: Path) -> None:
    async def until(kind: str, **said: Any) -> dict[str, Any]:
        async for event in served.state.events.follow(0):
            if event.kind == kind and said.items() <= event.data.items():
                return event.data
        raise AssertionError("the server ended")

    assert served.run(until("scan.done"))["added"] == 0, "first everything is looked at"
    (photos / "second.jpg").write_bytes(jpeg(62))
    served.run(until("scan.done", added=1))
    assert library.show(photos / "second.jpg")["state"] == "present"
    (photos / "third.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    assert served.run(until("scan.failed"))["path"] == str(photos / "third.jpg")
    assert [Path(str(problem.path, "utf-8")).name for problem in library.failed()] == ["third.jpg"]
