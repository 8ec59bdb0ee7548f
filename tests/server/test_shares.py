"""Share links: what they show and what they never show, and each hole that others had."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from imager import access
from imager.catalog.identity import asset_id, format_id
from imager.library import Library
from imager.server import bare, links
from tests.pictures import jpeg, saved, scene
from tests.server.client import Served

Client = Callable[..., httpx.Client]
AT = "/api/v1/shares"
PLACED = "/assets/{}"


@pytest.fixture
def ids(made_once: Path) -> list[str]:
    files = sorted((made_once / "photos").iterdir())
    return [format_id(asset_id(hashlib.sha256(file.read_bytes()).digest())) for file in files]


def share(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.post(AT, json=asked)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def every_address(path: str, asset: str) -> list[str]:
    """All that a link leads to."""
    own = [f"{path}/assets/{asset}{part}" for part in ("", "/thumbnail", "/preview", "/original")]
    return [path, f"{path}/assets", f"{path}/zip", *own]


def statuses(client: httpx.Client, path: str, asset: str) -> set[int]:
    return {client.get(address).status_code for address in every_address(path, asset)}


def test_a_link_shows_its_pictures_to_who_has_no_account(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:2], name="Harbour", download=True)
    visitor = client(None)
    assert visitor.get(made["path"]).json() | {"expires": None} == {
        "name": "Harbour", "count": 2, "download": True, "details": False, "expires": None
    }  # fmt: skip
    assert statuses(visitor, made["path"], ids[0]) == {200}
    assert statuses(visitor, made["path"], ids[2]) == {200, 404}
    for part in ("", "/thumbnail", "/preview", "/original"):
        assert visitor.get(f"{made['path']}/assets/{ids[2]}{part}").status_code == 404
    assert made["url"].endswith(made["path"]) and len(made["token"]) >= 43


def test_its_pages_follow_each_other(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids)
    visitor, seen, after = client(None), [], None
    while True:
        page = visitor.get(f"{made['path']}/assets", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [picture["id"] for picture in page["pictures"]]
        if (after := page["next"]) is None:
            break
    assert seen == ids[::-1]  # newest first
    assert visitor.get(f"{made['path']}/assets", params={"after": "nonsense"}).status_code == 422


def test_the_token_is_kept_as_its_hash_and_shown_once(client: Client, library: Library, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1], password="some words")
    token, password = library.catalog.db.execute("SELECT token, password FROM shares").get
    assert token == hashlib.sha256(made["token"].encode()).digest()
    assert password.startswith("$argon2id$")
    listed = client("ed").get(AT)
    assert made["token"] not in listed.text and "argon" not in listed.text
    assert client("owner").get(AT).json() == {"shares": []}


def test_wrong_revoked_expired_and_deleted_links_have_one_answer(
    client: Client, library: Library, ids: list[str]
) -> None:
    ed, visitor = client("ed"), client(None)
    answers = [visitor.get("/api/v1/shared/" + "x" * 43)]
    for how in ("revoked", "deleted", "expired", "disabled"):
        made = share(ed, ids=ids[:1], download=True)
        if how == "revoked":
            assert ed.patch(f"{AT}/{made['id']}", json={"revoked": True}).json()["revoked"]
        elif how == "deleted":
            assert ed.delete(f"{AT}/{made['id']}").status_code == 204
        else:
            with library.catalog.transaction(durable=True) as db:
                if how == "expired":
                    db.execute("UPDATE shares SET expires = 1 WHERE id = ?", (made["id"],))
                else:
                    db.execute("UPDATE accounts SET disabled = 1 WHERE member = 'ed'")
        assert statuses(visitor, made["path"], ids[0]) == {404}, how
        answers.append(visitor.get(made["path"]))
        answers.append(visitor.post(f"{made['path']}/password", json={"password": "x"}))
    assert len({(a.status_code, str(a.json() | {"request": ""})) for a in answers}) == 1


def test_a_link_never_shows_more_than_its_maker_sees(client: Client, library: Library, ids: list[str]) -> None:
    """'Zip bypass' (Lychee CVE-2026-61838) and 'an OR that escapes the owner filter' (CVE-2026-39957)."""
    made = share(client("ed"), ids=ids[:3], download=True)
    visitor = client(None)
    library.set_private(ids[0])  # the owner's from now on: ed does not see it
    assert visitor.get(made["path"]).json()["count"] == 2
    assert statuses(visitor, f"{made['path']}", ids[0]) == {200, 404}
    names = zipfile.ZipFile(io.BytesIO(visitor.get(f"{made['path']}/zip").content)).namelist()
    assert names == [f"{ids[2]}.jpg", f"{ids[1]}.jpg"]
    access.revoke(library.catalog, "ed")
    assert visitor.get(made["path"]).json()["count"] == 0
    assert visitor.get(f"{made['path']}/assets/{ids[1]}/preview").status_code == 404


def test_private_pictures_and_the_trash_are_behind_no_link(client: Client, library: Library, ids: list[str]) -> None:
    made = share(client("owner"), ids=ids[:3])
    visitor = client(None)
    library.set_private(ids[0])  # of the maker herself
    library.set(ids[1], "trashed", True)
    assert [p["id"] for p in visitor.get(f"{made['path']}/assets").json()["pictures"]] == [ids[2]]
    for hidden in ids[:2]:
        assert visitor.get(f"{made['path']}/assets/{hidden}/preview").status_code == 404


def test_a_link_to_an_album_follows_the_album(client: Client, library: Library, ids: list[str]) -> None:
    album, _ = library.create_album("Trips")
    library.add_to_album(album, ids[0], ids[1])
    made = share(client("ed"), album="Trips")
    visitor = client(None)
    assert visitor.get(made["path"]).json()["name"] == "Trips"
    assert [p["id"] for p in visitor.get(f"{made['path']}/assets").json()["pictures"]] == ids[:2]
    library.remove_from_album(album, ids[0])
    assert visitor.get(f"{made['path']}/assets/{ids[0]}/thumbnail").status_code == 404
    library.delete_album(album)
    assert {visitor.get(made["path"]).status_code, visitor.get(f"{made['path']}/assets").status_code} == {404}
    assert visitor.get(f"{made['path']}/assets/{ids[1]}/thumbnail").status_code == 404


def test_a_link_to_a_smart_album_shows_what_its_query_finds(client: Client, library: Library, ids: list[str]) -> None:
    album, _ = library.create_album("Rated", query="rating:5")
    library.set(ids[3], "rating", 5)
    made = share(client("owner"), album=album)
    visitor = client(None)
    assert [p["id"] for p in visitor.get(f"{made['path']}/assets").json()["pictures"]] == [ids[3]]
    assert visitor.get(f"{made['path']}/assets/{ids[3]}/preview").status_code == 200
    assert visitor.get(f"{made['path']}/assets/{ids[2]}/preview").status_code == 404


def test_sharing_takes_an_editor_and_the_scope(client: Client, library: Library, ids: list[str]) -> None:
    library.create_album("Trips")
    for asked in ({"ids": ids[:1]}, {"album": "Trips"}):
        assert client("vic").post(AT, json=asked).status_code == 403
        assert client("stranger").post(AT, json=asked).status_code == 404
        assert client(None).post(AT, json=asked).status_code == 401
        assert client("ed", scopes=("read", "write")).post(AT, json=asked).status_code == 403
        assert client("ed", scopes=("share",)).post(AT, json=asked).status_code == 201
    for nonsense in ({}, {"ids": ids[:1], "album": "Trips"}, {"ids": ids[:1], "expires": "2001-01-01T00:00:00Z"}):
        assert client("ed").post(AT, json=nonsense).status_code == 422
    assert client("ed").post(AT, json={"ids": ["0" * 32]}).status_code == 404


def test_links_are_their_makers_alone(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1])
    owner = client("owner")
    assert owner.patch(f"{AT}/{made['id']}", json={"download": True}).status_code == 404
    assert owner.delete(f"{AT}/{made['id']}").status_code == 404


# ── passwords ───────────────────────────────────────────────────────────────────────────────────────────────────


def give(visitor: httpx.Client, path: str, password: str) -> httpx.Response:
    return visitor.post(f"{path}/password", json={"password": password})


def test_a_password_is_wanted_for_every_address(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1], password="some words", download=True)
    visitor = client(None)
    assert statuses(visitor, made["path"], ids[0]) == {401}
    assert give(visitor, made["path"], "other words").status_code == 401
    answer = give(visitor, made["path"], "some words")
    assert answer.status_code == 204
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Max-Age=7200" in cookie
    assert "some" not in cookie
    assert statuses(visitor, made["path"], ids[0]) == {200}


def test_a_password_in_an_address_opens_nothing(client: Client, ids: list[str]) -> None:
    """'Password in a GET URL' (Immich CVE-2026-25118)."""
    made = share(client("ed"), ids=ids[:1], password="some words")
    visitor = client(None)
    assert visitor.get(made["path"], params={"password": "some words"}).status_code == 401
    assert visitor.get(f"{made['path']}/password", params={"password": "some words"}).status_code == 405
    assert visitor.post(f"{made['path']}/password", params={"password": "some words"}).status_code == 422
    assert statuses(visitor, made["path"], ids[0]) == {401}


def test_one_password_does_not_open_links_with_an_equal_one(client: Client, library: Library, ids: list[str]) -> None:
    """'One password opens all equal ones' (Lychee CVE-2026-22784)."""
    made = [share(client("ed"), ids=ids[:1], password="some words") for _ in range(2)]
    visitor = client(None)
    give(visitor, made[0]["path"], "some words")
    assert visitor.get(made[0]["path"]).status_code == 200
    assert visitor.get(made[1]["path"]).status_code == 401
    (name, value), *_ = visitor.cookies.items()
    visitor.cookies.set(name.replace(made[0]["id"], made[1]["id"]), value)
    assert visitor.get(made[1]["path"]).status_code == 401
    hashes = [row[0] for row in library.catalog.db.execute("SELECT password FROM shares")]
    assert hashes[0] != hashes[1]  # a salt of each


def test_another_password_ends_what_the_old_one_opened(client: Client, ids: list[str]) -> None:
    ed, visitor = client("ed"), client(None)
    made = share(ed, ids=ids[:1], password="some words")
    give(visitor, made["path"], "some words")
    assert ed.patch(f"{AT}/{made['id']}", json={"password": "new words"}).status_code == 200
    assert visitor.get(made["path"]).status_code == 401
    assert give(visitor, made["path"], "new words").status_code == 204
    assert ed.patch(f"{AT}/{made['id']}", json={"password": None}).json()["password"] is False
    assert client(None).get(made["path"]).status_code == 200


def test_wrong_passwords_are_counted(served: Served, client: Client, ids: list[str]) -> None:
    """'No rate limit' (Lychee CVE-2026-61611)."""
    made = share(client("ed"), ids=ids[:1], password="some words")
    tries = [give(client(None), made["path"], f"wrong {n}").status_code for n in range(links.BURST + 2)]
    assert tries == [401] * links.BURST + [429] * 2
    locked = give(client(None), made["path"], "some words")
    assert locked.status_code == 429 and int(locked.headers["Retry-After"]) > 0
    other = served.client(peer="192.0.2.7", headers={"Sec-Fetch-Site": "same-origin"})
    assert give(other, made["path"], "some words").status_code == 204
    other.close()


def test_a_forged_or_old_cookie_opens_nothing(client: Client, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = share(client("ed"), ids=ids[:1], password="some words")
    visitor = client(None)
    give(visitor, made["path"], "some words")
    (name, value), *_ = visitor.cookies.items()
    until, _, signature = value.partition(".")
    for forged in (f"{int(until) + 9}.{signature}", f"{until}.{'0' * 64}", f"{until}.", "x", "²." + signature):
        header = {"Cookie": f"{name}={forged}".encode("latin-1")}
        assert client(None).get(made["path"], headers=header).status_code == 401  # type: ignore[arg-type]
    monkeypatch.setattr(time, "time", lambda: int(until) + 1)
    assert visitor.get(made["path"]).status_code == 401


def test_a_link_opens_nothing_else(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1], password="some words", download=True)
    visitor = client(None)
    give(visitor, made["path"], "some words")
    for path in (f"/api/v1/assets/{ids[0]}", f"/api/v1/assets/{ids[0]}/original", "/api/v1/search", AT, "/api/v1/zips"):
        assert visitor.get(path).status_code in (401, 404), path
        answer = visitor.get(path, headers={"Authorization": f"Bearer {made['token']}"})
        assert answer.status_code in (401, 404), path


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_details_nothing_but_the_looks_are_told(client: Client, library: Library, ids: list[str]) -> None:
    library.tag(ids[0], "Secret tag")
    library.set(ids[0], "caption", "Secret caption")
    made = share(client("ed"), ids=ids[:1], download=True)
    visitor = client(None)
    for address in (made["path"], f"{made['path']}/assets", f"{made['path']}/assets/{ids[0]}"):
        text = visitor.get(address).text
        for told in ("Secret", "harbour", "2021", "photos", "0.jpg"):
            assert told not in text, (told, address)
    original = visitor.get(f"{made['path']}/assets/{ids[0]}/original")
    assert b"harbour" not in original.content and b"Exif" not in original.content
    assert b"2021" not in original.content
    assert (
        original.headers["Content-Disposition"]
        == f"attachment; filename=\"{ids[0]}.jpg\"; filename*=UTF-8''{ids[0]}.jpg"
    )
    (name,) = (archive := zipfile.ZipFile(io.BytesIO(visitor.get(f"{made['path']}/zip").content))).namelist()
    assert archive.read(name) == original.content and archive.getinfo(name).date_time[0] == 1980


def test_details_are_told_where_the_maker_wants_it_but_never_paths(
    client: Client, library: Library, ids: list[str]
) -> None:
    library.set(ids[0], "caption", "A caption")
    made = share(client("owner"), ids=ids[:1], details=True, download=True)
    visitor = client(None)
    told = visitor.get(f"{made['path']}/assets/{ids[0]}")
    assert told.json()["details"]["caption"] == "A caption" and told.json()["details"]["name"] == "0.jpg"
    assert "photos" not in told.text and "files" not in told.json()["details"]
    assert b"harbour" in visitor.get(f"{made['path']}/assets/{ids[0]}/original").content


def test_a_format_that_cant_be_bared_is_handed_out_as_its_preview(
    client: Client, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "moving.gif").write_bytes(data := saved(scene(8), "GIF", comment=b"SECRET"))
    assert list(library.add(tmp_path / "moving.gif", workers=1))
    own = format_id(asset_id(hashlib.sha256(data).digest()))
    made = share(client("ed"), ids=[own], download=True)
    answer = client(None).get(f"{made['path']}/assets/{own}/original")
    assert answer.headers["Content-Type"] == "image/jpeg" and b"SECRET" not in answer.content
    assert answer.content == client(None).get(f"{made['path']}/assets/{own}/preview").content


def test_originals_take_a_link_for_downloads(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1])
    visitor = client(None)
    assert visitor.get(f"{made['path']}/assets/{ids[0]}/original").status_code == 403
    assert visitor.get(f"{made['path']}/zip").status_code == 403
    assert visitor.get(f"{made['path']}/assets/{ids[0]}/preview").status_code == 200


def test_previews_carry_no_metadata_and_are_asked_about_each_time(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1])
    for kind in ("preview", "thumbnail"):
        answer = client(None).get(f"{made['path']}/assets/{ids[0]}/{kind}")
        assert Image.open(io.BytesIO(answer.content)).getexif() == {} and b"harbour" not in answer.content
        assert "no-cache" in answer.headers["Cache-Control"] and "immutable" not in answer.headers["Cache-Control"]
        again = client(None).get(
            f"{made['path']}/assets/{ids[0]}/{kind}", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert again.status_code == 304


def test_ranges_of_a_bared_original_fit_together(client: Client, ids: list[str]) -> None:
    made = share(client("ed"), ids=ids[:1], download=True)
    at, visitor = f"{made['path']}/assets/{ids[0]}/original", client(None)
    whole = visitor.get(at).content
    pieces = [visitor.get(at, headers={"Range": f"bytes={n}-{n + 499}"}) for n in range(0, len(whole), 500)]
    assert {piece.status_code for piece in pieces} == {206}
    assert b"".join(piece.content for piece in pieces) == whole
    assert visitor.get(at, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


def test_hostile_names_stay_data(client: Client, library: Library, ids: list[str]) -> None:
    """'Album name in a meta tag' (Immich CVE-2026-40096)."""
    hostile = '<script>alert(1)</script>"\r\nX-Evil: 1'
    made = share(client("ed"), ids=ids[:1], name=hostile, download=True)
    answer = client(None).get(made["path"])
    assert answer.json()["name"] == hostile and answer.headers["Content-Type"].startswith("application/json")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    archive = client(None).get(f"{made['path']}/zip")
    assert "X-Evil" not in archive.headers and "\n" not in archive.headers["Content-Disposition"]


# ── baring ──────────────────────────────────────────────────────────────────────────────────────────────────────


def bared(tmp_path: Path, data: bytes, mime: str, orientation: int | None = None) -> bytes | None:
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb", buffering=0) as file:
        left = bare.bare(file, mime, orientation)
        return None if left is None else left.read(file, 0, left.size + 1)


def with_everything(kind: str) -> bytes:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "SECRET", 6
    exif.get_ifd(0x8825)[1] = "N"
    options: dict[str, Any] = {"exif": exif.tobytes(), "icc_profile": b"PROFILE" * 20}
    if kind == "JPEG":
        options |= {"comment": b"SECRET", "xmp": b"<x>SECRET</x>", "progressive": True}
    if kind == "WEBP":
        options |= {"xmp": b"<x>SECRET</x>", "lossless": True}
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_text("Comment", "SECRET")
        info.add_itxt("XML:com.adobe.xmp", "<x>SECRET</x>")
        options["pnginfo"] = info
    return saved(scene(3, (160, 120)), kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_bared_picture_looks_the_same_and_tells_nothing(tmp_path: Path, kind: str) -> None:
    data = with_everything(kind)
    assert b"SECRET" in data
    left = bared(tmp_path, data + b"SECRET film behind it", f"image/{kind.lower()}", 6)
    assert left is not None and b"SECRET" not in left
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(left))
    assert before.tobytes() == after.tobytes()
    assert after.info.get("icc_profile") == before.info.get("icc_profile")
    assert dict(after.getexif()) == {0x0112: 6}
    plain = bared(tmp_path, data, f"image/{kind.lower()}", 1)
    assert plain is not None and dict(Image.open(io.BytesIO(plain)).getexif()) == {}


def test_what_is_not_sound_is_not_bared(tmp_path: Path) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        data = with_everything(kind)
        for cut in (0, 1, 3, 15, 40, len(data) // 2, len(data) - 3):
            left = bared(tmp_path, data[:cut], f"image/{kind.lower()}")
            assert left is None or b"SECRET" not in left
        for at in range(0, min(len(data), 400), 7):
            changed = bytearray(data)
            changed[at] ^= 0xFF
            bared(tmp_path, bytes(changed), f"image/{kind.lower()}")  # and nothing is raised
    assert bared(tmp_path, jpeg(1), "image/heic") is None
