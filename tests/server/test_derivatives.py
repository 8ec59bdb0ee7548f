"""What lies behind the pictures that are sent: versions, places, and bytes that wait for nobody."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from imager import access
from imager.errors import NotFoundError
from imager.library import Library
from imager.server import derivatives
from tests.server.conftest import Client
from tests.server.seen import hide, ids


@pytest.fixture
def library(library: Library, made_once: Path) -> Library:
    """The copied library, told again where its files are: a copy is on another device, as it were."""
    list(library.add(made_once / "photos", workers=1))
    return library


def never(_: str) -> bool:
    return False


def test_the_version_in_an_address_is_that_of_what_is_shown(client: Client, library: Library) -> None:
    one, other, *_ = ids(library)
    before = derivatives.versions_of(library, [one, other, "nonsense"])
    assert before == {i: library.show(i)["sha256"][:16] for i in (one, other)}
    library.join(one, other)
    shown = library.show(one)["sha256"][:16]
    vic = client("vic")
    for asset in (one, other):
        kept = vic.get(f"/api/v1/assets/{asset}/thumbnail", params={"v": shown})
        assert "immutable" in kept.headers["cache-control"]
        stale = vic.get(f"/api/v1/assets/{asset}/thumbnail", params={"v": (set(before.values()) - {shown}).pop()})
        assert stale.content == kept.content
        assert stale.headers["cache-control"] == "private, no-cache", "what is shown changed under that address"


def test_small_pictures_are_found_with_one_look_at_the_catalog(library: Library) -> None:
    wanted, *_ = ids(library)
    said: list[str] = []
    library.catalog.db.set_profile(lambda sql, _: said.append(sql))
    try:
        derivatives.small(library, wanted, "thumbnail", never)
    finally:
        library.catalog.db.set_profile(None)
    assert len(said) == 1


def test_what_the_asker_has_is_not_read(library: Library) -> None:
    wanted, *_ = ids(library)
    first = derivatives.small(library, wanted, "preview", never)
    same = derivatives.small(library, wanted, "preview", lambda etag: etag == first.etag)
    assert (same.data, same.etag) == (None, first.etag)
    assert first.data is not None


def test_the_files_of_a_hidden_picture_have_no_place(library: Library) -> None:
    wanted, *_ = ids(library)
    place = derivatives.placed(library, wanted)
    hide(library, wanted, "ed")
    assert derivatives.placed(library.asked_by(access.Principal("ed")), wanted) == place
    for member in ("owner", "vic", "stranger"):
        with pytest.raises(NotFoundError):
            derivatives.placed(library.asked_by(access.Principal(member)), wanted)


def test_of_several_files_the_one_that_is_as_it_was_is_sent(library: Library, tmp_path: Path) -> None:
    wanted, *_ = ids(library)
    copies = [tmp_path / name for name in ("1.jpg", "2.jpg", "3.jpg")]
    for copy in copies:
        copy.write_bytes(library.original(wanted).read_bytes())
    list(library.add(tmp_path, workers=1))
    where = derivatives.placed(library, wanted)
    assert {os.fsencode(copy) for copy in copies} < {path for path, _, _ in where.files}
    ours = tuple(file for file in where.files if file[0].startswith(os.fsencode(tmp_path)))
    copies[0].unlink()
    copies[1].write_bytes(b"something else")
    with derivatives.opened(derivatives.Placed(ours, where.sha256, where.mime)).file as file:
        assert file.read() == copies[2].read_bytes()


def test_only_so_many_wait_for_a_disk_at_once() -> None:
    at_once, most = 0, 0

    async def all_of_them() -> None:
        gate = asyncio.Event()
        loop = asyncio.get_running_loop()

        def waiting() -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(timeout=30)
            at_once -= 1

        tasks = [asyncio.create_task(derivatives.beside(waiting)) for _ in range(derivatives._AT_ONCE + 5)]
        while most < derivatives._AT_ONCE:
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(all_of_them())
    assert most == derivatives._AT_ONCE
