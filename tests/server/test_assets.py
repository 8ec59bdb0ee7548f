"""One picture over HTTP: what is told of it, its small pictures, and its file."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imager import access
from imager.library import Library
from imager.server import derivatives
from imager.server.ranges import Span, UnsatisfiableError, asked, holds
from imager.server.schemas.assets import Asset, History
from tests.server.conftest import Client
from tests.server.seen import EVERYWHERE, READERS, again, hide, ids, problem, share_album, told

NOWHERE = "00000000-0000-8000-8000-000000000000"


@pytest.fixture
def library(library: Library, made_once: Path) -> Library:
    """The copied library, told again where its files are: a copy is on another device, as it were."""
    list(library.add(made_once / "photos", workers=1))
    return library


@pytest.fixture
def asset(library: Library) -> str:
    return ids(library)[0]


def file_of(library: Library, asset: str) -> Path:
    return library.original(asset)


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────


def test_everything_that_is_known_of_a_picture_is_told(client: Client, library: Library, asset: str) -> None:
    library.tag(asset, "Animals|Dogs")
    value = told(client("owner").get(f"/api/v1/assets/{asset}"), Asset)
    assert value == library.show(asset)
    assert value["tags"] == [{"name": "Animals|Dogs", "source": "edit"}]


def test_where_files_lie_is_for_owners_alone(client: Client, library: Library, asset: str) -> None:
    for member in ("ed", "vic"):
        value = told(client(member).get(f"/api/v1/assets/{asset}"), Asset)
        assert value["files"] == []
        assert str(file_of(library, asset).parent) not in str(value)


def test_the_history_says_who_said_what(client: Client, library: Library, asset: str) -> None:
    library.asked_by(access.Principal("ed")).set(asset, "rating", 4)
    said = told(client("vic").get(f"/api/v1/assets/{asset}/history"), History)["edits"]
    assert [(e["field"], e["value"], e["author"]) for e in said] == [("rating", 4, "ed")]


def test_who_has_the_answer_is_not_sent_it_again_until_it_changes(client: Client, library: Library, asset: str) -> None:
    address, vic = f"/api/v1/assets/{asset}", client("vic")
    first = vic.get(address)
    same = again(vic, address, first)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    library.set(asset, "title", "Another")
    changed = again(vic, address, first)
    assert (changed.status_code, changed.json()["title"]) == (200, "Another")


def test_nobody_is_told_nothing(client: Client, asset: str) -> None:
    for address in EVERYWHERE:
        for wanted in (asset, NOWHERE):
            problem(client(None).get(address.format(id=wanted)), 401, "unauthenticated")


def test_a_stranger_can_not_tell_a_picture_from_none(client: Client, asset: str) -> None:
    """Someone else's object by its id: LibrePhotos CVE-2026-57943."""
    for address in EVERYWHERE:
        there = problem(client("stranger").get(address.format(id=asset)), 404, "not-found")
        nowhere = problem(client("stranger").get(address.format(id=NOWHERE)), 404, "not-found")
        assert there["detail"].replace(asset, "") == nowhere["detail"].replace(NOWHERE, "")


def test_a_private_picture_is_there_for_its_member_alone(client: Client, library: Library, asset: str) -> None:
    hide(library, asset, "ed")
    for address in EVERYWHERE:
        assert client("ed").get(address.format(id=asset)).status_code == 200
        for member in ("owner", "vic", "stranger"):
            problem(client(member).get(address.format(id=asset)), 404, "not-found")


def test_who_sees_one_album_sees_its_pictures_and_no_others(client: Client, library: Library) -> None:
    inside, outside, *_ = ids(library)
    share_album(library, inside, "stranger")
    for address in EVERYWHERE:
        assert client("stranger").get(address.format(id=inside)).status_code == 200
        problem(client("stranger").get(address.format(id=outside)), 404, "not-found")


def test_an_api_key_needs_the_scope_to_read(client: Client, asset: str) -> None:
    for address in EVERYWHERE:
        assert client("vic", scopes=("read",)).get(address.format(id=asset)).status_code == 200
        problem(client("owner", scopes=("write", "upload")).get(address.format(id=asset)), 403, "forbidden")


def test_pictures_have_no_names_but_their_ids(client: Client, library: Library, asset: str) -> None:
    path, owner = str(file_of(library, asset)).replace("/", "%2F"), client("owner")
    for name in ("photos", "%00", "..%2F..%2Fcatalog.db", path, "~", "%FF%FE", "x" * 3000):
        for address in EVERYWHERE:
            problem(owner.get(address.replace("{id}", name)), 404, "not-found")


def test_script_in_what_a_picture_says_is_told_as_text(client: Client, library: Library, asset: str) -> None:
    """Script from a caption or EXIF: Piwigo CVE-2014-1980."""
    hostile = "</script><img src=x onerror=alert(1)>\u202e\x00 '\"&"
    library.set(asset, "caption", hostile)
    answer = client("vic").get(f"/api/v1/assets/{asset}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["caption"] == library.show(asset)["caption"]


# ── thumbnails and previews ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["thumbnail", "preview"])
def test_small_pictures_are_sealed_jpegs(client: Client, library: Library, asset: str, kind: str) -> None:
    sha256 = bytes.fromhex(library.show(asset)["sha256"])
    for member in READERS:
        answer = client(member).get(f"/api/v1/assets/{asset}/{kind}")
        assert answer.content == library.store.path(sha256, kind).read_bytes()
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "private, no-cache"
        Image.open(io.BytesIO(answer.content)).load()


@pytest.mark.parametrize("kind", ["thumbnail", "preview"])
def test_with_its_version_a_small_picture_is_kept_for_ever(
    client: Client, library: Library, asset: str, kind: str
) -> None:
    version = library.show(asset)["sha256"][:16]
    vic, address = client("vic"), f"/api/v1/assets/{asset}/{kind}"
    kept = vic.get(address, params={"v": version}).headers["cache-control"]
    assert kept == "private, max-age=31536000, immutable"
    other = vic.get(address, params={"v": version[::-1]})
    assert (other.status_code, other.headers["cache-control"]) == (200, "private, no-cache")
    assert again(vic, address, other).status_code == 304


@pytest.mark.parametrize("kind", ["thumbnail", "preview", "original"])
def test_head_tells_what_get_would(client: Client, asset: str, kind: str) -> None:
    vic, address = client("vic"), f"/api/v1/assets/{asset}/{kind}"
    head, whole = vic.head(address), vic.get(address)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers[name] == whole.headers[name]


def test_what_is_missing_is_shown_by_less_and_never_kept(client: Client, library: Library, asset: str) -> None:
    sha256, vic = bytes.fromhex(library.show(asset)["sha256"]), client("vic")
    thumbnail = library.store.path(sha256, "thumbnail").read_bytes()
    library.store.path(sha256, "preview").unlink()
    preview = vic.get(f"/api/v1/assets/{asset}/preview", params={"v": sha256.hex()[:16]})
    assert preview.content == thumbnail
    assert preview.headers["cache-control"] == "no-store"
    assert "etag" not in preview.headers
    library.store.path(sha256, "thumbnail").unlink()
    for kind in ("thumbnail", "preview"):
        blur = vic.get(f"/api/v1/assets/{asset}/{kind}")
        assert max(Image.open(io.BytesIO(blur.content)).size) <= 32
        assert blur.headers["cache-control"] == "no-store"


def test_one_that_is_made_anew_is_another_one(client: Client, library: Library, asset: str) -> None:
    sha256, vic, address = (
        bytes.fromhex(library.show(asset)["sha256"]),
        client("vic"),
        f"/api/v1/assets/{asset}/preview",
    )
    first = vic.get(address)
    library.store.put(sha256, "preview", first.content + b"\0")
    assert again(vic, address, first).status_code == 200


# ── originals ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_original_is_the_file(client: Client, library: Library, asset: str) -> None:
    path = file_of(library, asset)
    for member in READERS:
        answer = client(member).get(f"/api/v1/assets/{asset}/original")
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["content-length"] == str(path.stat().st_size)
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"'
        assert answer.headers["content-disposition"].startswith(f'inline; filename="{path.name}"')
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    saved = client("vic").get(f"/api/v1/assets/{asset}/original", params={"download": "true"})
    assert saved.headers["content-disposition"].startswith("attachment; ")


def test_a_range_is_a_piece_of_the_file(client: Client, library: Library, asset: str) -> None:
    data, vic = file_of(library, asset).read_bytes(), client("vic")
    pieces = {"0-99": (0, 100), "100-": (100, None), "-50": (-50, None), "10-999999999": (10, None)}
    for header, (start, end) in pieces.items():
        answer = vic.get(f"/api/v1/assets/{asset}/original", headers={"Range": f"bytes={header}"})
        assert (answer.status_code, answer.content) == (206, data[start:end])
        first = len(data) + start if start < 0 else start
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(data)}"
        assert answer.headers["content-length"] == str(len(answer.content))


def test_ranges_that_are_not_understood_get_all_of_it(client: Client, library: Library, asset: str) -> None:
    vic, data = client("vic"), file_of(library, asset).read_bytes()
    for header in ("bytes=0-1,5-9", "pages=1-2", "bytes=9-3", "bytes=x", "bytes=-", "", "bytes=1-2-3"):
        answer = vic.get(f"/api/v1/assets/{asset}/original", headers={"Range": header})
        assert (answer.status_code, answer.content) == (200, data)


def test_a_range_behind_the_end_is_refused_with_the_size(client: Client, library: Library, asset: str) -> None:
    vic, size = client("vic"), file_of(library, asset).stat().st_size
    for header in ("bytes=99999999-", "bytes=99999999-999999999", "bytes=-0"):
        answer = vic.get(f"/api/v1/assets/{asset}/original", headers={"Range": header})
        problem(answer, 416, "range")
        assert answer.headers["content-range"] == f"bytes */{size}"


def test_a_range_of_what_the_client_has_is_of_the_same_file_or_all_of_it(client: Client, asset: str) -> None:
    vic, address = client("vic"), f"/api/v1/assets/{asset}/original"
    whole = vic.get(address)
    tag = whole.headers["etag"]
    same = vic.get(address, headers={"Range": "bytes=5-9", "If-Range": tag})
    assert (same.status_code, same.content) == (206, whole.content[5:10])
    for other in ('"other"', f"W/{tag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        changed = vic.get(address, headers={"Range": "bytes=5-9", "If-Range": other})
        assert (changed.status_code, changed.content) == (200, whole.content)
    known = vic.get(address, headers={"Range": "bytes=5-9", "If-None-Match": tag})
    assert (known.status_code, known.content) == (304, b"")


def test_head_passes_ranges_over(client: Client, library: Library, asset: str) -> None:
    answer = client("vic").head(f"/api/v1/assets/{asset}/original", headers={"Range": "bytes=5-9"})
    assert (answer.status_code, answer.headers["content-length"]) == (
        200,
        str(file_of(library, asset).stat().st_size),
    )


def moved(library: Library, asset: str, folder: Path, name: str) -> Path:
    """The picture's file, in a folder of the test's own, as the library knows it."""
    path = file_of(library, asset)
    other = folder / name
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(path.read_bytes())
    list(library.add(other.parent, workers=1))
    library.catalog.db.execute("DELETE FROM files WHERE name = ?", (os.fsencode(path.name),))
    assert library.original(asset) == other
    return other


@pytest.mark.usefixtures("served")
def test_other_bytes_in_its_place_are_not_sent(client: Client, library: Library, asset: str, tmp_path: Path) -> None:
    path, vic = moved(library, asset, tmp_path / "photos", "a.jpg"), client("vic")
    assert vic.get(f"/api/v1/assets/{asset}/original").status_code == 200
    path.write_bytes(b"somebody's diary")
    problem(vic.get(f"/api/v1/assets/{asset}/original"), 404, "not-found")
    path.unlink()
    answer = vic.get(f"/api/v1/assets/{asset}/original")
    problem(answer, 404, "not-found")
    assert str(tmp_path) not in answer.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_its_place_keeps_nobody_waiting(client: Client, library: Library, asset: str, tmp_path: Path) -> None:
    path = moved(library, asset, tmp_path / "photos", "a.jpg")
    path.unlink()
    os.mkfifo(path)
    problem(client("vic").get(f"/api/v1/assets/{asset}/original"), 404, "not-found")
    with pytest.raises(Exception, match="not there"):
        derivatives.original(library, asset)


@pytest.mark.skipif(os.name == "nt", reason="such names can't be there")
def test_names_of_files_can_not_leave_their_header(
    client: Client, library: Library, asset: str, tmp_path: Path
) -> None:
    name = 'a\r\nSet-Cookie: x=1"; filename="evil.html\u202e海边.jpg'
    moved(library, asset, tmp_path / "photos", name)
    answer = client("vic").get(f"/api/v1/assets/{asset}/original")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers.get_list("content-disposition") == [derivatives.disposition(name, save=False)]


@given(st.text(max_size=300))
def test_any_name_is_told_in_one_line_of_plain_letters(name: str) -> None:
    told = derivatives.disposition(name, save=True)
    match = re.fullmatch(r"attachment; filename=\"([\w .()-]*)\"; filename\*=UTF-8''([\w.~%-]+)", told, re.ASCII)
    assert match is not None
    saved = unquote(match[2])
    assert saved and not set(saved) & set('/\\"\r\n\0')
    assert len(told) < 1_000


def test_originals_of_other_types_are_saved_and_never_shown(client: Client, library: Library, asset: str) -> None:
    """Script in an SVG or a page that passes for a picture."""
    content = "UPDATE contents SET mime = ? WHERE content = (SELECT content FROM assets WHERE asset = ?)"
    for mime in ("image/svg+xml", "text/html", None):
        library.catalog.db.execute(content, (mime, library.find(asset)))
        answer = client("vic").get(f"/api/v1/assets/{asset}/original")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment; ")


def test_a_file_that_shrinks_while_it_is_sent_breaks_the_answer_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(100))

    async def sent() -> int:
        with path.open("rb", buffering=0) as file:
            answer = derivatives.FileAnswer(file, Span(0, 200), 200, {"Content-Type": "image/jpeg"})
            return sum([len(piece) async for piece in answer.body_iterator])

    with pytest.raises(OSError, match="shorter"):
        asyncio.run(sent())


# ── ranges ──────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.binary(max_size=40), st.integers(0, 60), st.integers(0, 60))
def test_any_range_is_what_slicing_gives(data: bytes, first: int, last: int) -> None:
    def sent(header: str) -> bytes | None:
        try:
            span = asked(header, len(data))
        except UnsatisfiableError:
            return None
        return data if span is None else data[span.start : span.end]

    closed = data if last < first else data[first : last + 1] if first < len(data) else None
    assert sent(f"bytes={first}-{last}") == closed
    assert sent(f"bytes={first}-") == (data[first:] if first < len(data) else None)
    assert sent(f"bytes=-{last}") == (data[-last:] if last and data else None)


@given(st.text(max_size=30) | st.from_regex(r"bytes=[0-9,\- ]{0,12}", fullmatch=True), st.integers(0, 1 << 40))
def test_no_header_gives_anything_beyond_the_file(header: str, size: int) -> None:
    try:
        span = asked(header, size)
    except UnsatisfiableError:
        return
    assert span is None or (0 <= span.start < span.end <= size)


def test_ranges_are_read_as_loosely_as_they_may_be_written() -> None:
    assert asked(" BYTES = 1 - 2 ", 10) == Span(1, 3)
    assert asked(None, 10) is None
    assert asked("bytes=" + "9" * 30 + "-", 10) is None
    assert holds(None, '"a"')
    assert not holds('W/"a"', 'W/"a"')


def test_clients_see_no_cookie_set_by_pictures(client: Client, asset: str) -> None:
    answers: list[httpx.Response] = [client("vic").get(address.format(id=asset)) for address in EVERYWHERE]
    assert not any("set-cookie" in answer.headers for answer in answers)
