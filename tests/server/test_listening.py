"""Listening: what is told to whom, that nothing is lost or repeated, and nobody learns of what they can't see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from imager import access
from imager.access import Principal
from imager.catalog.identity import format_id
from imager.library import Library
from imager.server import events, library_events, sse
from imager.server.asking import SCOPES, Asker
from imager.server.auth import keys
from tests.catalog.libraries import content, put
from tests.server.client import Served
from tests.server.conftest import Client, Process


class Told(NamedTuple):
    """An event as a client reads it."""

    id: int
    kind: str
    data: dict[str, Any]


def read(text: str) -> Iterator[Told]:
    """The events of a stream (HTML standard, section 9.2.6); a number alone is none."""
    last = 0
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        last = int(fields.get("id", last))
        if "data" in fields:
            yield Told(last, fields.get("event", "message"), json.loads(fields["data"]))


def asker(member: str) -> Asker:
    return Asker(Principal(member), "session", frozenset(SCOPES), "test")


async def _always() -> bool:
    return True


class Listening:
    """One who listens within the process."""

    def __init__(self, served: Served, member: str, last: int | None = None) -> None:
        self._served = served
        self._open = True
        served.run(served.state.follower.arrive())
        self._stream = self._streamed(member, last)

    def _streamed(self, member: str, last: int | None) -> AsyncGenerator[bytes]:
        state = self._served.state
        return sse.stream(state.events, state.desks, asker(member), last, still=_always, heartbeat=60)

    def until(self, kind: str) -> list[Told]:
        """What is told, up to the first of a kind."""
        return self._served.run(self._until(kind))

    async def _until(self, kind: str) -> list[Told]:
        text = ""
        async for piece in self._stream:
            text += piece.decode()
            found = list(read(text))
            if any(one.kind == kind for one in found):
                return found
        raise AssertionError(f"the stream ended without {kind}: {text}")

    def close(self) -> None:
        if self._open:
            self._open = False
            self._served.run(self._stream.aclose())
            self._served.state.follower.leave()


Listen = Callable[..., Listening]


@pytest.fixture
def listen(served: Served) -> Iterator[Listen]:
    made: list[Listening] = []

    def start(member: str, last: int | None = None) -> Listening:
        made.append(Listening(served, member, last))
        return made[-1]

    yield start
    for one in made:
        one.close()


def look(served: Served) -> None:
    """What happened until now has been told afterwards."""
    served.run(served.state.follower.look())


def mark(served: Served) -> None:
    """An event for everybody of the library, behind all others."""
    look(served)
    served.state.events.publish("library.changed", {})


def first(library: Library) -> str:
    return library.search("harbour").hits[0].id


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────


def test_pictures_that_arrive_change_or_go_are_told(served: Served, library: Library, listen: Listen) -> None:
    vic = listen("vic")
    (hello,) = vic.until("hello")
    assert hello.data == {}
    (added,) = (format_id(i) for i in put(library.catalog, content("new")))
    mark(served)
    assert [told[1:] for told in vic.until("library.changed")][:-1] == [
        ("asset.added", {"id": added, "state": "present"})
    ]
    library.set(added, "title", "Something")
    mark(served)
    assert [told[1:] for told in vic.until("library.changed")][:-1] == [
        ("asset.changed", {"id": added, "state": "present"})
    ]
    library.set(added, "trashed", True)
    mark(served)
    assert vic.until("library.changed")[0].data["state"] == "trashed"
    library.erase(added)
    mark(served)
    assert [told[1:] for told in vic.until("library.changed")][:-1] == [("asset.removed", {"id": added})]
    kept = "SELECT count(*) FROM departed WHERE id IS NOT NULL"
    assert library.catalog.db.execute(kept).get == 0, "once it was told"


def test_albums_are_told_to_who_sees_them(served: Served, library: Library, listen: Listen) -> None:
    shared, other = library.create_album("Shared")[0], library.create_album("Other")[0]
    number = library.catalog.db.execute("SELECT album FROM albums WHERE name = 'Shared'").get
    access.grant(library.catalog, "stranger", "viewer", album=number)
    listening = {member: listen(member) for member in ("vic", "stranger")}
    for one in listening.values():
        one.until("hello")
    library.rename_album(other, "Others")
    look(served)
    library.add_to_album(shared, first(library))
    look(served)
    library.delete_album(shared)
    look(served)
    for member in listening:
        served.state.events.publish("job.done", {}, member=member)
    albums = {m: [t.data for t in one.until("job.done") if t.kind == "album.changed"] for m, one in listening.items()}
    changed, deleted = {"id": shared, "deleted": False}, {"id": shared, "deleted": True}
    assert albums["stranger"] == [changed, deleted]
    assert albums["vic"] == [{"id": other, "deleted": False}, changed, deleted]


def test_more_than_a_few_are_told_as_one(served: Served, library: Library, listen: Listen) -> None:
    vic = listen("vic")
    vic.until("hello")
    put(library.catalog, *(content(f"many {n}") for n in range(library_events.MANY + 1)))
    look(served)
    assert [told[1:] for told in vic.until("library.changed")] == [("library.changed", {})]


def test_what_happened_while_nobody_listened_is_told_to_who_comes_back(
    served: Served, library: Library, listen: Listen
) -> None:
    vic = listen("vic")
    (hello,) = vic.until("hello")
    vic.close()
    library.set(first(library), "title", "Meanwhile")
    assert [told.data.get("id") for told in listen("vic", hello.id).until("asset.changed")] == [first(library)]


# ── who is told ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_private_picture_of_somebody_else_never_appears(served: Served, library: Library, listen: Listen) -> None:
    # As Immich's sync stream told of the locked folder (CVE-2026-108165).
    listening = {member: listen(member) for member in ("owner", "vic", "ed")}
    for one in listening.values():
        one.until("hello")
    (hidden,) = (format_id(i) for i in put(library.catalog, content("hidden")))
    library.set_private(hidden)  # before it was told that it is there
    mark(served)
    assert [told.data["id"] for told in listening["owner"].until("library.changed")[:-1]] == [hidden]
    for said in ("One", "Two"):
        library.set(hidden, "title", said)
        look(served)
    library.set(hidden, "trashed", True)
    mark(served)
    told = listening["owner"].until("library.changed")
    assert [one.kind for one in told] == ["asset.changed"] * 3 + ["library.changed"]
    library.erase(hidden)
    mark(served)
    assert listening["owner"].until("library.changed")[0][1:] == ("asset.removed", {"id": hidden})
    for member in ("vic", "ed"):
        served.state.events.publish("job.done", {}, member=member)
        assert {one.kind for one in listening[member].until("job.done")} == {"library.changed", "job.done"}


def test_a_picture_that_is_hidden_is_gone_for_everybody_else(served: Served, library: Library, listen: Listen) -> None:
    owner, vic = listen("owner"), listen("vic")
    for one in (owner, vic):
        one.until("hello")
    known = first(library)
    library.set_private(known)
    mark(served)
    assert [told[1:] for told in vic.until("library.changed")][:-1] == [("asset.removed", {"id": known})]
    assert [told[1:] for told in owner.until("library.changed")][:-1] == [
        ("asset.changed", {"id": known, "state": "present"})
    ]
    library.set_private(known, private=False)
    mark(served)
    assert [told.kind for told in vic.until("library.changed")] == ["asset.changed", "library.changed"]


def test_visibility_counts_when_an_event_is_sent(served: Served, library: Library, listen: Listen) -> None:
    (hello,) = listen("vic").until("hello")
    known = first(library)
    library.set(known, "title", "Seen by all")
    look(served)
    library.set_private(known)
    late = listen("vic", hello.id)
    mark(served)
    assert [told.kind for told in late.until("library.changed")] == ["asset.removed", "library.changed"]


def test_each_is_told_only_what_is_theirs_to_know(served: Served, library: Library, listen: Listen) -> None:
    members = {member: listen(member) for member in ("owner", "ed", "vic", "stranger")}
    for one in members.values():
        one.until("hello")
    publish = served.state.events.publish
    publish("job.progress", {"id": "a job"}, member="ed")
    publish("scan.failed", {"path": "/secret/path", "reason": "x"})
    publish("something.else", {"secret": 1})
    publish("job.progress", {"id": "nobody's"})
    library.set(first(library), "title", "Changed")
    mark(served)
    for member in members:
        publish("job.done", {}, member=member)
    told = {member: [one.kind for one in listening.until("job.done")][:-1] for member, listening in members.items()}
    assert told == {
        "owner": ["scan.failed", "asset.changed", "library.changed"],
        "ed": ["job.progress", "asset.changed", "library.changed"],
        "vic": ["asset.changed", "library.changed"],
        "stranger": [],
    }


# ── coming back ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_asks_for_what_is_no_longer_known_begins_anew(
    served: Served, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_KEPT", 3)
    for number in range(8):
        served.state.events.publish("job.done", {"n": number}, member="vic")
        served.run(served.state.events.write())
    served.state.events._floor = served.state.events.last  # as after a restart
    assert [told.kind for told in listen("vic", 1).until("reset")] == ["reset"]
    assert [told.kind for told in listen("vic", served.state.events.last + 5).until("reset")] == ["reset"]


def test_what_is_not_told_still_moves_the_place_to_which_one_comes_back(served: Served) -> None:
    async def pieces() -> bytes:
        state = served.state
        begun = state.events.last
        async with aclosing(
            sse.stream(state.events, state.desks, asker("vic"), begun, still=_always, heartbeat=60)
        ) as stream:
            state.events.publish("job.done", {"secret": 1}, member="ed")
            assert (await anext(stream)).startswith(b"retry")
            return await anext(stream)

    assert served.run(pieces()) == f"id: {served.state.events.last}\n\n".encode()


def test_a_stream_ends_when_its_session_does(served: Served) -> None:
    async def listen() -> bytes:
        state = served.state

        async def never() -> bool:
            return False

        stream = sse.stream(state.events, state.desks, asker("vic"), None, still=never, heartbeat=0.01)
        return b"".join([piece async for piece in stream])

    assert served.run(listen()).endswith(b"event: hello\ndata: {}\n\n")


def test_who_does_not_take_what_is_sent_is_let_go(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_PATIENCE", 0.01)
    left: list[bool] = []

    async def stuck(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def silent() -> Any:
        await asyncio.Event().wait()

    async def run() -> None:
        state = served.state
        stream = sse.stream(state.events, state.desks, asker("vic"), None, still=_always)
        answer = sse.EventStream(stream, done=lambda: left.append(True))
        await answer({"type": "http"}, silent, stuck)

    served.run(run())
    assert left == [True]


def test_strangers_to_the_server_are_not_heard(client: Client) -> None:
    assert client(None).get("/api/v1/events").status_code == 401
    assert client("vic", scopes=("write",)).get("/api/v1/events").status_code == 403


def test_cut_off_before_it_is_noted_an_event_is_told_twice_rather_than_never(
    served: Served, library: Library, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    vic = listen("vic")
    vic.until("hello")

    def killed(*_: Any) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(library_events, "_told", killed)
        library.set(first(library), "title", "Changed")
        with pytest.raises(OSError, match="killed"):
            look(served)
    mark(served)
    assert {one.data.get("id") for one in vic.until("library.changed")[:-1]} == {first(library)}


# ── a real process ──────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def streaming(address: str, headers: dict[str, str], last: int | None) -> Iterator[Iterator[Told]]:
    """The events of a server, as they come."""
    more = {} if last is None else {"Last-Event-ID": str(last)}
    with (
        httpx.Client(base_url=address, timeout=30) as client,
        client.stream("GET", "/api/v1/events", headers=headers | more) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")

        def told() -> Iterator[Told]:
            block = ""
            for line in answer.iter_lines():
                block += line + "\n"
                if not line:
                    yield from read(block)
                    block = ""

        yield told()


def test_reconnecting_loses_and_repeats_nothing(library_folder: Path, serve: Callable[..., Process]) -> None:
    with Library.open(library_folder, create=False) as library:
        own, other = (keys.create(library.catalog, m, name="t", scopes=SCOPES)[0] for m in ("vic", "owner"))
        ids = [format_id(i) for i in put(library.catalog, *(content(f"many {n}") for n in range(30)))]
        (hidden,) = (format_id(i) for i in put(library.catalog, content("hidden")))
        library.set_private(hidden)
    process = serve()
    reader, writer = {"Authorization": f"Bearer {own}"}, {"Authorization": f"Bearer {other}"}
    seen: list[Told] = []
    waiting = iter(ids)
    with httpx.Client(base_url=process.address, headers=writer, timeout=30) as owner:

        def say() -> str:
            one = next(waiting)
            for named in (hidden, one):
                assert owner.patch(f"/api/v1/assets/{named}", json={"title": f"Said of {one}"}).status_code == 200
            return one

        with streaming(process.address, reader, None) as told:
            assert next(told).kind == "hello"
            for _ in range(3):
                say()
                seen.append(next(told))
        for _ in range(2):
            say()  # while nobody listens
            last = say()
            with streaming(process.address, reader, seen[-1].id) as told:
                while seen[-1].data["id"] != last:
                    seen.append(next(told))
                say()
                seen.append(next(told))
        process.process.terminate()
        process.process.wait()
    with Library.open(library_folder, create=False) as library:
        library.set(next(waiting), "title", "By another program, while there is no server")
    again = serve()
    with streaming(again.address, reader, seen[-1].id) as told:
        seen.append(next(told))
    said = [one.data["id"] for one in seen]
    assert said == ids[: len(said)]
    assert {one.kind for one in seen} == {"asset.changed"}
    assert [one.id for one in seen] == sorted({one.id for one in seen})


def test_a_key_that_is_revoked_hears_no_more(library_folder: Path, serve: Callable[..., Process]) -> None:
    with Library.open(library_folder, create=False) as library:
        key, _ = keys.create(library.catalog, "vic", name="t", scopes=SCOPES)
        one = first(library)
        process = serve()
        with streaming(process.address, {"Authorization": f"Bearer {key}"}, None) as told:
            assert next(told).kind == "hello"
            library.catalog.db.execute("DELETE FROM api_keys")
            library.set(one, "title", "0")
            # What is changed outside of the server counts a second later.
            heard = 0
            for heard, _ in enumerate(told, 1):
                assert heard < 20
                library.set(one, "title", str(heard))
        assert heard < 20
