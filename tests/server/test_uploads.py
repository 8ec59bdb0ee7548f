"""Uploads over HTTP: the protocol, what is refused, and that nothing is lost or left behind."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imager.catalog.identity import asset_id, format_id
from imager.library import Library
from imager.server.uploads import arriving, parts, table
from imager.server.uploads.arriving import Uploads
from tests.pictures import jpeg, png
from tests.server.client import Served

Client = Callable[..., httpx.Client]
AT = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}
NEW = jpeg(70, size=(200, 150), taken="2019:03:04 10:00:00")


def said(**values: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def begin(client: httpx.Client, data: bytes, **values: str) -> str:
    headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": said(filename="new.jpg", **values)}
    answer = client.post(AT, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def send(client: httpx.Client, at: str, data: bytes, offset: int = 0, checksum: str = "") -> httpx.Response:
    more = {"Upload-Checksum": checksum} if checksum else {}
    return client.patch(at, content=data, headers=BYTES | {"Upload-Offset": str(offset)} | more)


def settled(served: Served, client: httpx.Client, at: str) -> dict[str, Any]:
    service = served.state.uploads
    assert service is not None
    served.run(service.settled(at.rpartition("/")[2]))
    found: dict[str, Any] = client.get(at).json()
    return found


def inbox_of(served: Served) -> Path:
    assert served.state.uploads is not None
    return served.state.uploads.inbox.folder


def files_in(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def left(served: Served) -> list[str]:
    return files_in(served.state.settings.library / "uploads")


def test_a_picture_that_is_sent_becomes_an_asset_in_the_inbox(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    assert send(ed, at, NEW).status_code == 204
    became = settled(served, ed, at)
    assert became["state"] == "done"
    assert became["asset"] == format_id(asset_id(hashlib.sha256(NEW).digest()))
    assert files_in(inbox_of(served)) == ["2019/03/new.jpg"]
    assert (inbox_of(served) / "2019/03/new.jpg").read_bytes() == NEW
    assert left(served) == []
    assert client("vic").get(f"/api/v1/assets/{became['asset']}").status_code == 200


def test_an_upload_goes_on_where_it_was_cut_off(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    assert send(ed, at, NEW[:1000]).headers["Upload-Offset"] == "1000"
    head = ed.head(at, headers=TUS)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("1000", str(len(NEW)))
    assert "no-store" in head.headers["Cache-Control"]
    assert send(ed, at, NEW[1000:], 1000).headers["Upload-Offset"] == str(len(NEW))
    assert settled(served, ed, at)["state"] == "done"


def test_creation_may_bring_the_first_bytes(served: Served, client: Client) -> None:
    ed = client("ed")
    answer = ed.post(
        AT, content=NEW, headers=BYTES | {"Upload-Length": str(len(NEW)), "Upload-Metadata": said(name="x.jpg")}
    )
    assert answer.headers["Upload-Offset"] == str(len(NEW))
    assert settled(served, ed, answer.headers["Location"])["state"] == "done"


def test_pieces_in_the_wrong_order_change_nothing(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    answer = send(ed, at, NEW[500:], 500)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "0")
    send(ed, at, NEW[:500])
    assert send(ed, at, NEW[:500]).status_code == 409  # twice
    send(ed, at, NEW[500:], 500)
    assert settled(served, ed, at)["state"] == "done"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_bytes_that_fail_their_checksum_are_not_kept(served: Served, client: Client, algorithm: str) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    wrong = base64.b64encode(hashlib.new(algorithm, b"other").digest()).decode()
    assert send(ed, at, NEW, checksum=f"{algorithm} {wrong}").status_code == 460
    assert ed.head(at, headers=TUS).headers["Upload-Offset"] == "0"
    right = base64.b64encode(hashlib.new(algorithm, NEW).digest()).decode()
    assert send(ed, at, NEW, checksum=f"{algorithm} {right}").status_code == 204
    assert settled(served, ed, at)["state"] == "done"


def test_what_lies_about_its_hash_or_kind_is_refused_and_leaves_nothing(served: Served, client: Client) -> None:
    ed = client("ed")
    for data, told in [(NEW, {"sha256": "0" * 64}), (b"<html>no picture</html>", {}), (b"", {})]:
        headers = TUS | {"Upload-Length": str(len(data)), "Upload-Metadata": said(filename="a.jpg", **told)}
        answer = ed.post(AT, headers=headers | {"Content-Type": BYTES["Content-Type"]}, content=data)
        assert answer.status_code == 422, answer.text
    assert left(served) == []
    assert not inbox_of(served).exists() or files_in(inbox_of(served)) == []
    assert {one["state"] for one in ed.get(AT).json()["uploads"]} == {"failed"}


def test_what_only_begins_like_a_picture_is_taken_out_of_the_inbox_again(
    served: Served, client: Client, library: Library
) -> None:
    ed, data = client("ed"), b"\xff\xd8\xff\xe0" + b"nothing" * 50
    at = begin(ed, data)
    assert send(ed, at, data).status_code == 204
    became = settled(served, ed, at)
    assert became["state"] == "failed" and became["problem"]
    assert files_in(inbox_of(served)) == [] and left(served) == []
    assert library.failed() == []


def test_more_bytes_than_were_announced_are_refused(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    assert send(ed, at, NEW + b"more").status_code == 413

    def pieces() -> Any:
        yield NEW
        yield b"more"

    answer = ed.patch(at, content=pieces(), headers=BYTES | {"Upload-Offset": "0"})
    assert answer.status_code == 413
    assert ed.head(at, headers=TUS).headers["Upload-Offset"] == "0"
    assert send(ed, at, NEW).status_code == 204


def test_a_picture_that_is_there_already_is_not_stored_twice(served: Served, client: Client) -> None:
    ed, held = client("ed"), jpeg(0, size=(320, 240), taken="2021:07:01 15:30:00", description="harbour 0")
    at = begin(ed, held)
    send(ed, at, held)
    assert settled(served, ed, at)["state"] == "done"
    assert not inbox_of(served).exists()
    for _ in range(2):
        at = begin(ed, NEW)
        send(ed, at, NEW)
        assert settled(served, ed, at)["state"] == "done"
    assert files_in(inbox_of(served)) == ["2019/03/new.jpg"]


def test_files_of_the_same_name_are_numbered(served: Served, client: Client) -> None:
    ed = client("ed")
    for seed in (71, 72):
        data = jpeg(seed, taken="2019:03:04 10:00:00")
        at = begin(ed, data)
        send(ed, at, data)
        settled(served, ed, at)
    assert files_in(inbox_of(served)) == ["2019/03/new (2).jpg", "2019/03/new.jpg"]


def test_the_hash_of_a_hidden_picture_is_answered_as_one_that_nobody_has(
    served: Served, client: Client, library: Library, made_once: Path
) -> None:
    """'Someone else's object by hash' (LibrePhotos CVE-2026-57943)."""
    hashes = [hashlib.sha256((made_once / "photos" / f"{n}.jpg").read_bytes()).hexdigest() for n in range(3)]
    asked = {"sha256": [*hashes, "0" * 64]}
    assert set(client("ed").post(f"{AT}/known", json=asked).json()["known"]) == set(hashes)
    library.set_private(format_id(asset_id(bytes.fromhex(hashes[0]))))
    assert set(client("ed").post(f"{AT}/known", json=asked).json()["known"]) == set(hashes[1:])
    assert set(client("owner").post(f"{AT}/known", json=asked).json()["known"]) == set(hashes)
    assert client("stranger").post(f"{AT}/known", json=asked).json()["known"] == []


def test_an_upload_is_its_senders_alone(served: Served, client: Client) -> None:
    """'Someone else's object by id'."""
    at = begin(client("ed"), NEW)
    owner = client("owner")
    assert owner.get(at).status_code == owner.head(at, headers=TUS).status_code == 404
    assert send(owner, at, NEW).status_code == owner.delete(at, headers=TUS).status_code == 404
    assert client("ed").head(at, headers=TUS).headers["Upload-Offset"] == "0"


def test_only_editors_upload_and_keys_need_the_scope(served: Served, client: Client) -> None:
    headers = TUS | {"Upload-Length": "10"}
    for who, status in [(client("vic"), 403), (client("stranger"), 403), (client(None), 401)]:
        assert who.post(AT, headers=headers).status_code == status
        assert who.post(f"{AT}/files", files={"file": ("a.jpg", NEW)}).status_code == status
    assert client("ed", scopes=("read", "write")).post(AT, headers=headers).status_code == 403
    assert client("ed", scopes=("upload",)).post(AT, headers=headers).status_code == 201
    assert left(served) == []


def test_terminating_an_upload_removes_its_bytes(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    send(ed, at, NEW[:100])
    assert len(left(served)) == 1
    assert ed.delete(at, headers=TUS).status_code == 204
    assert left(served) == [] and ed.get(at).status_code == 404


def test_methods_may_be_overridden(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    headers = BYTES | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert ed.post(at, content=NEW[:10], headers=headers).headers["Upload-Offset"] == "10"
    assert ed.post(at, headers=TUS | {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert ed.post(at.replace(at[-5:], "00000"), headers=TUS).status_code == 405


def test_what_is_no_tus_is_told_so(served: Served, client: Client) -> None:
    ed = client("ed")
    assert ed.post(AT, headers={"Upload-Length": "1"}).status_code == 412
    for headers in (
        {},
        {"Upload-Length": "x"},
        {"Upload-Length": "-1"},
        {"Upload-Length": "1", "Upload-Defer-Length": "1"},
        {"Upload-Length": "1", "Upload-Metadata": "filename ???"},
        {"Upload-Length": "1", "Upload-Metadata": said(sha256="beef")},
        {"Upload-Length": "1", "Upload-Checksum": "md5 AAAA"},
    ):
        assert ed.post(AT, headers=TUS | headers).status_code == 400, headers
    assert ed.post(AT, headers=TUS | {"Upload-Length": str(1 << 40)}).status_code == 413
    at = begin(ed, NEW)
    assert (
        ed.patch(at, content=b"x", headers=TUS | {"Upload-Offset": "0", "Content-Type": "text/plain"}).status_code
        == 415
    )
    assert ed.patch(at, content=b"x", headers=BYTES).status_code == 400
    able = client(None).options(AT)
    assert able.headers["Tus-Version"] == "1.0.0" and "checksum" in able.headers["Tus-Extension"]


def test_one_writer_at_a_time(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    service = served.state.uploads
    assert service is not None
    with service.alone(at.rpartition("/")[2]):
        assert send(ed, at, NEW).status_code == 423
        assert ed.delete(at, headers=TUS).status_code == 423
    assert send(ed, at, NEW).status_code == 204


def test_uploads_of_a_member_are_counted(served: Served, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from imager.server.routes import uploads as routes

    monkeypatch.setattr(routes, "MOST", 2)
    ed = client("ed")
    begin(ed, NEW), begin(ed, NEW)
    assert ed.post(AT, headers=TUS | {"Upload-Length": "5"}).status_code == 429


def test_a_disk_without_room_is_told_before_anything_is_sent(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1 << 40, 1 << 40, parts.SPARE + 50))
    ed = client("ed")
    assert ed.post(AT, headers=TUS | {"Upload-Length": "51"}).status_code == 507
    assert ed.post(AT, headers=TUS | {"Upload-Length": "50"}).status_code == 201
    assert ed.post(AT, headers=TUS | {"Upload-Length": "1"}).status_code == 507  # that room is promised
    assert ed.post(f"{AT}/files", files={"file": ("a.jpg", NEW)}).status_code == 507


def test_a_form_brings_several_files_and_waits_for_them(served: Served, client: Client) -> None:
    ed = client("ed")
    files = [("file", ("a.jpg", NEW)), ("file", ("b.png", png(5))), ("file", ("c.txt", b"no picture"))]
    answer = ed.post(f"{AT}/files", files=files, data={})
    assert answer.status_code == 200, answer.text
    became = answer.json()["uploads"]
    assert [one["name"] for one in became] == ["a.jpg", "b.png", "c.txt"]
    assert [one["state"] for one in became] == ["done", "done", "failed"]
    assert len(files_in(inbox_of(served))) == 2 and left(served) == []


def test_a_form_that_is_cut_off_leaves_nothing(served: Served, client: Client) -> None:
    ed = client("ed")
    request = ed.build_request("POST", f"{AT}/files", files=[("file", ("a.jpg", NEW)), ("file", ("b.jpg", NEW))])
    body = request.read()
    kind = request.headers["Content-Type"]
    for cut in (10, len(body) // 2, len(body) - 5):
        answer = ed.post(f"{AT}/files", content=body[:cut], headers={"Content-Type": kind})
        assert answer.status_code == 400, cut
    assert left(served) == [] and not inbox_of(served).exists()
    assert ed.post(f"{AT}/files", content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["good", "twice", "ahead", "torn"])), max_size=8))
def test_however_bytes_come_the_picture_is_whole(served: Served, client: Client, steps: list[tuple[int, str]]) -> None:
    ed, data = client("ed"), jpeg(90, size=(40, 30), quality=90, taken="2018:01:01 00:00:00")
    at, here = begin(ed, data), 0
    for size, how in steps:
        piece = data[here : here + size]
        if how == "ahead" and here < len(data) - 1:
            assert send(ed, at, data[here + 1 :], here + 1).status_code == 409
        elif how == "torn" and piece:
            assert send(ed, at, piece, here, checksum="sha1 " + "A" * 27 + "=").status_code == 460
        elif here + size < len(data):
            assert send(ed, at, piece, here).status_code == 204
            here += len(piece)
            if how == "twice" and piece:
                assert send(ed, at, piece, here - len(piece)).status_code == 409
    assert send(ed, at, data[here:], here).status_code == 204
    assert settled(served, ed, at)["state"] == "done"
    assert left(served) == []


# ── after a kill ────────────────────────────────────────────────────────────────────────────────────────────────


class _KilledError(BaseException):
    """Stands for kill -9: nothing of ours may run after it."""


STEPS = ("_say 0", "place 0", "_say 1", "remove 0", "_enqueue 0", "_end 0")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_start_finishes_it(
    served: Served, client: Client, library: Library, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ed = client("ed")
    name, number = step.split()
    count = 0
    service = served.state.uploads
    assert service is not None
    at = begin(ed, NEW)
    identifier = at.rpartition("/")[2]
    owner: Any = {"place": service.inbox, "remove": service.parts}.get(name, service)
    real = getattr(owner, name)
    alive = True

    def dies(*args: Any, **more: Any) -> Any:
        nonlocal count, alive
        count += 1
        if count > int(number):
            alive = False
            raise _KilledError
        return real(*args, **more)

    monkeypatch.setattr(owner, name, dies)
    with service.alone(identifier):
        received = served.run(_written(service, identifier, NEW))
        assert received == len(NEW)
        with library.catalog.transaction(durable=True) as db:
            db.execute("UPDATE uploads SET received = bytes WHERE id = ?", (identifier,))
        upload = table.get(library.catalog, identifier)
        assert upload is not None
        try:
            served.run(service.arrive(upload))
            if name == "_end":
                with pytest.raises(_KilledError):
                    assert service._taking is not None
                    served.run(_awaited(service._taking))
        except _KilledError:
            pass
    assert not alive
    monkeypatch.setattr(owner, name, real)

    again = Uploads(served.state.desks, served.state.events, served.state.settings.library, service.inbox)
    served.run(again.resume())
    served.run(again.settled(identifier))
    became = table.get(library.catalog, identifier)
    assert became is not None and became.state == "done", became
    assert files_in(inbox_of(served)) == ["2019/03/new.jpg"]
    assert left(served) == []


async def _written(service: Uploads, identifier: str, data: bytes) -> int:
    async def chunks() -> Any:
        yield data

    async def keep(before: int, after: int) -> None:
        pass

    return await parts.receive(service.parts, identifier, 0, len(data), chunks(), keep)


async def _awaited(task: Any) -> None:
    await task


def test_what_was_not_acknowledged_is_cut_off_when_it_goes_on(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    send(ed, at, NEW[:100])
    part = served.state.settings.library / "uploads" / f"{at.rpartition('/')[2]}.part"
    with part.open("ab") as file:
        file.write(b"garbage that a kill left")
    assert send(ed, at, NEW[100:], 100).status_code == 204
    assert settled(served, ed, at)["state"] == "done"


def test_bytes_that_are_gone_are_told(served: Served, client: Client) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    send(ed, at, NEW[:100])
    (served.state.settings.library / "uploads" / f"{at.rpartition('/')[2]}.part").unlink()
    assert send(ed, at, NEW[100:], 100).status_code == 410


def test_a_disk_that_fills_up_keeps_what_was_acknowledged(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    send(ed, at, NEW[:100])
    real = parts._write

    def full(file: Any, data: bytes, digest: Any) -> None:
        real(file, data[: len(data) // 2], digest)
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(parts, "_write", full)
    assert send(ed, at, NEW[100:], 100).status_code == 507
    monkeypatch.setattr(parts, "_write", real)
    assert ed.head(at, headers=TUS).headers["Upload-Offset"] == "100"
    assert send(ed, at, NEW[100:], 100).status_code == 204
    assert settled(served, ed, at)["state"] == "done"


def test_what_could_not_be_taken_in_is_taken_in_later(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("as if the library were locked")

    ed, real = client("ed"), arriving._taken
    monkeypatch.setattr(arriving, "_taken", broken)
    at = begin(ed, NEW)
    send(ed, at, NEW)
    assert settled(served, ed, at)["state"] == "waiting"
    assert ed.delete(at, headers=TUS).status_code == 409  # nothing may be lost now
    monkeypatch.setattr(arriving, "_taken", real)
    service = served.state.uploads
    assert service is not None
    served.run(service.resume())
    assert settled(served, ed, at)["state"] == "done"


def test_a_long_request_is_made_safe_on_the_way(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BLOCK", 100)
    monkeypatch.setattr(parts, "STEP", 500)
    ed = client("ed")
    at = begin(ed, NEW)
    offsets: list[int] = []
    real = table.advance

    def advance(catalog: Any, identifier: str, before: int, after: int) -> bool:
        offsets.append(after)
        return real(catalog, identifier, before, after)

    monkeypatch.setattr(table, "advance", advance)

    def pieces() -> Any:
        yield from (NEW[n : n + 100] for n in range(0, len(NEW), 100))

    assert ed.patch(at, content=pieces(), headers=BYTES | {"Upload-Offset": "0"}).status_code == 204
    assert offsets[-1] == len(NEW)
    assert settled(served, ed, at)["state"] == "done"


def test_what_has_expired_is_swept_away_and_strays_too(served: Served, client: Client, library: Library) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    send(ed, at, NEW[:100])
    stray = served.state.settings.library / "uploads" / f"{'f' * 32}.part"
    stray.write_bytes(b"nobody's")
    service = served.state.uploads
    assert service is not None
    served.run(service.resume())
    assert not stray.exists() and len(left(served)) == 1
    with library.catalog.transaction(durable=True) as db:
        db.execute("UPDATE uploads SET expires = 1")
    served.run(service.resume())
    assert left(served) == [] and ed.get(at).status_code == 404


def test_an_erased_picture_is_not_brought_back_and_no_file_of_others_is_removed(
    served: Served, client: Client, library: Library
) -> None:
    ed = client("ed")
    at = begin(ed, NEW)
    send(ed, at, NEW)
    library.erase(settled(served, ed, at)["asset"])
    at = begin(ed, NEW)
    send(ed, at, NEW)
    became = settled(served, ed, at)
    assert became["state"] == "failed" and "erased" in became["problem"]
    assert files_in(inbox_of(served)) == ["2019/03/new.jpg"]  # erasing leaves files where they are


def test_the_date_of_a_file_is_kept(served: Served, client: Client) -> None:
    ed, data = client("ed"), png(77)
    at = begin(ed, data, modified="2015-06-07T08:09:10+00:00")
    send(ed, at, data)
    assert settled(served, ed, at)["state"] == "done"
    (path,) = (p for p in inbox_of(served).rglob("*") if p.is_file())
    assert path.relative_to(inbox_of(served)).as_posix() == "2015/06/new.jpg"
    assert int(os.stat(path).st_mtime) == 1433664550
    assert arriving._modified("not a date") is None and arriving._modified("9" * 14) is None
