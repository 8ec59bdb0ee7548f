"""ZIP files: what is in them, that they are sound, and what a changing library does to them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imager import access
from imager.catalog.identity import asset_id, format_id
from imager.library import Library
from imager.server import zips
from imager.server.auth import keys
from imager.server.names import safe_name
from tests.pictures import saved
from tests.server.client import Served
from tests.server.conftest import Process
from tests.server.test_shares import ids

__all__ = ["ids"]

Client = Callable[..., httpx.Client]
AT = "/api/v1/zips"


def archive(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    found = zipfile.ZipFile(io.BytesIO(answer.content))
    assert found.testzip() is None
    return found


def test_pictures_come_as_one_sound_file(client: Client, ids: list[str], made_once: Path, tmp_path: Path) -> None:
    vic = client("vic")
    answer = vic.get(AT, params={"id": ids[:3], "name": "my trip"})
    found = archive(answer)
    assert found.namelist() == ["0.jpg", "1.jpg", "2.jpg"]
    for name in found.namelist():
        assert found.read(name) == (made_once / "photos" / name).read_bytes()
    assert found.getinfo("0.jpg").date_time == (2021, 7, 1, 15, 30, 0)
    assert 'filename="my trip.zip"' in answer.headers["Content-Disposition"]
    assert vic.post(AT, json={"ids": ids[:3], "name": "my trip"}).content == answer.content
    if (unzip := shutil.which("unzip")) is not None:
        (tmp_path / "a.zip").write_bytes(answer.content)
        assert subprocess.run([unzip, "-tq", tmp_path / "a.zip"], capture_output=True).returncode == 0


def test_a_query_and_an_album_choose_pictures(client: Client, library: Library, ids: list[str]) -> None:
    album, _ = library.create_album("Trips")
    library.add_to_album(album, ids[1], ids[4])
    vic = client("vic")
    assert sorted(archive(vic.get(AT, params={"album": "Trips"})).namelist()) == ["1.jpg", "4.jpg"]
    assert len(archive(vic.get(AT, params={"q": "2021"})).namelist()) == 6
    assert archive(vic.post(AT, json={"q": "2020"})).namelist() == []
    for nonsense in ({}, {"id": ids[0], "q": "x"}, {"id": ids[0], "album": "Trips"}):
        assert vic.get(AT, params=nonsense).status_code == 422


def test_what_one_does_not_see_is_not_there(client: Client, library: Library, ids: list[str]) -> None:
    library.set_private(ids[0])
    assert client("vic").get(AT, params={"id": ids[:2]}).status_code == 404
    assert len(archive(client("vic").get(AT, params={"q": "2021"})).namelist()) == 5
    assert client("stranger").get(AT, params={"id": ids[1]}).status_code == 404
    assert archive(client("stranger").get(AT, params={"q": "2021"})).namelist() == []
    assert client(None).get(AT, params={"id": ids[1]}).status_code == 401
    assert client("vic").get(AT, params={"id": "/etc/passwd"}).status_code == 404


def test_each_picture_is_checked_when_its_turn_comes(
    served: Served, client: Client, library: Library, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = zips.Source.read, 0

    def read(self: zips.Source, at: int, end: int | None = None) -> bytes:
        nonlocal count
        count += 1
        if count == 1:  # the first is being sent
            library.set_private(ids[2])
        return real(self, at, end)

    monkeypatch.setattr(zips.Source, "read", read)
    found = archive(client("vic").get(AT, params={"id": ids[:4]}))
    assert found.namelist() == ["0.jpg", "1.jpg", "3.jpg", "missing.txt"]
    assert "2.jpg" in found.read("missing.txt").decode()


def test_a_link_that_ends_meanwhile_gives_nothing_more(
    client: Client, library: Library, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client("ed").post("/api/v1/shares", json={"ids": ids[:3], "download": True, "details": True}).json()
    real = zips.Source.read

    def read(self: zips.Source, at: int, end: int | None = None) -> bytes:
        with library.catalog.transaction(durable=True) as db:
            db.execute("UPDATE shares SET revoked = 1")
        return real(self, at, end)

    monkeypatch.setattr(zips.Source, "read", read)
    found = archive(client(None).get(f"{made['path']}/zip"))
    assert found.namelist() == ["2.jpg", "missing.txt"]


def test_files_that_are_gone_are_listed(client: Client, library: Library, tmp_path: Path) -> None:
    from tests.pictures import jpeg

    folder = tmp_path / "more"
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True)
    one, two = jpeg(201), jpeg(202)
    (folder / "a" / "same.jpg").write_bytes(one)
    (folder / "b" / "SAME.jpg").write_bytes(two)
    assert list(library.add(folder, workers=1))
    own = [format_id(asset_id(hashlib.sha256(data).digest())) for data in (one, two)]
    vic = client("vic")
    assert archive(vic.get(AT, params={"id": own})).namelist() == ["same.jpg", "SAME (2).jpg"]
    (folder / "a" / "same.jpg").unlink()
    found = archive(vic.get(AT, params={"id": own}))
    assert found.namelist() == ["SAME (2).jpg", "missing.txt"]
    (folder / "b" / "SAME.jpg").write_bytes(b"other bytes than the asker may see")
    assert archive(vic.get(AT, params={"id": own})).namelist() == ["missing.txt"]


def test_who_goes_away_leaves_no_file_open(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    opened: list[Any] = []

    async def source(_: zips.Entry) -> zips.Source:
        opened.append((tmp_path / "large").open("rb", buffering=0))
        return zips.Source(opened[-1], 3 << 20)

    async def run() -> None:
        pieces = zips.stream([zips.Entry("1", "a"), zips.Entry("2", "b")], source)
        largest = 0
        async for piece in pieces:
            largest = max(largest, len(piece))
            if len(opened) == 2:
                break
        await pieces.aclose()  # type: ignore[attr-defined]
        assert largest < 600_000  # bounded, however large the files are

    asyncio.run(run())
    assert [file.closed for file in opened] == [True, True]
    assert [p.name for p in tmp_path.iterdir()] == ["large"]


def test_a_kill_in_between_leaves_nothing_behind(
    serve: Callable[..., Process], library_folder: Path, tmp_path: Path
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2_000, 2_500, 3), dtype=np.uint8)
    (tmp_path / "large.bmp").write_bytes(data := saved(Image.fromarray(noise), "BMP"))
    own = format_id(asset_id(hashlib.sha256(data).digest()))
    with Library.open(library_folder, create=False) as library:
        assert list(library.add(tmp_path / "large.bmp", workers=1))
        secret, _ = keys.create(library.catalog, "vic", name="zip", scopes=("read",))
    process = serve()
    before = {p for p in tmp_path.rglob("*") if not p.name.startswith("catalog.db")}
    with (
        httpx.Client(headers={"Authorization": f"Bearer {secret}"}) as client,
        pytest.raises(httpx.TransportError),
        client.stream("GET", f"{process.address}{AT}", params={"id": own}) as answer,
    ):
        assert answer.status_code == 200
        for n, _ in enumerate(answer.iter_raw()):
            if n == 0:
                process.process.kill()
                process.process.wait()
    assert {p for p in tmp_path.rglob("*") if not p.name.startswith("catalog.db")} == before
    with Library.open(library_folder, create=False) as library:
        assert not library.doctor(repair=False).problems


def test_a_file_that_becomes_shorter_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1 << 20))

    async def source(_: zips.Entry) -> zips.Source:
        return zips.Source((tmp_path / "file").open("rb", buffering=0), 2 << 20)

    async def run() -> None:
        async for _ in zips.stream([zips.Entry("1", "a")], source):
            pass

    with pytest.raises(OSError, match="shorter"):
        asyncio.run(run())


NAMES = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        [
            "../../etc/passwd",
            "..\\..\\boot.ini",
            "/etc/passwd",
            "C:\\x.jpg",
            "con",
            "NUL.jpg",
            "a\0b.jpg",
            "COM¹.png",
            "x" * 400 + ".jpg",
            "é" * 200 + ".jpeg",
            ".",
            "..",
            "",
            " ",
            "a. ",
            "a\u202egpj.exe",
            "missing.txt",
            "…/x",
        ]
    ),
)


@given(st.lists(NAMES, max_size=12))
def test_no_name_leads_out_of_the_folder_and_each_is_there_once(wanted: list[str]) -> None:
    """'Zip slip', and names that systems keep for themselves."""
    found = [name for _, name in zips.names(zips.Entry("1", name) for name in wanted)]
    assert len({name.casefold() for name in found}) == len(found) == len(wanted)
    assert "missing.txt" not in {name.casefold() for name in found}
    for name in found:
        assert name and not set(name) & set('/\\:*?"<>|') and name.isprintable() | (" " in name) | ("\u200d" in name)
        assert name not in (".", "..") and not name.startswith(".") and not name.endswith((".", " "))
        assert len(name.encode()) < 200
        assert name.split(".")[0].casefold() not in ("con", "nul", "aux", "com1", "com¹")
        assert not any(ord(c) < 32 for c in name)


@given(NAMES)
def test_a_safe_name_is_its_own_safe_name(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


def test_the_role_is_looked_up_for_each_request(client: Client, library: Library, ids: list[str]) -> None:
    vic = client("vic")
    assert archive(vic.get(AT, params={"id": ids[0]})).namelist() == ["0.jpg"]
    access.revoke(library.catalog, "vic")
    assert vic.get(AT, params={"id": ids[0]}).status_code == 404
