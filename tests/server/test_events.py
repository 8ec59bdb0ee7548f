"""What happened: told in order, to all who listen, kept for who comes back, and gone on with after a restart."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from imager.server import events as module
from imager.server.desks import Desks
from imager.server.events import Event, Events, Gap


def _run(folder: Path, work: Any, **options: Any) -> None:
    async def all_of_it() -> None:
        desks = Desks(folder)
        events = Events(**options)
        await events.start(desks)
        try:
            await work(events)
        finally:
            await events.stop()
            await asyncio.to_thread(desks.stop, seconds=10)

    asyncio.run(all_of_it())


async def _take(events: Events, count: int, last: int | None = None) -> list[Event]:
    found: list[Event] = []
    following = events.follow(last)
    async for event in following:
        found.append(event)
        if len(found) == count:
            break
    await following.aclose()  # type: ignore[attr-defined]
    return found


def _listening(coroutine: Coroutine[Any, Any, list[Event]]) -> asyncio.Task[list[Event]]:
    return asyncio.create_task(coroutine)


def test_who_listens_is_told_in_order_from_whatever_thread(library_folder: Path) -> None:
    async def work(events: Events) -> None:
        listeners = [_listening(_take(events, 200)) for _ in range(3)]
        await asyncio.sleep(0)

        def tell() -> None:
            for n in range(50):
                events.publish("seen", {"n": n})

        threads = [threading.Thread(target=tell) for _ in range(4)]
        for thread in threads:
            thread.start()
        told = [await listener for listener in listeners]
        assert told[0] == told[1] == told[2]
        numbers = [event.id for event in told[0]]
        assert numbers == sorted(set(numbers))
        for thread in threads:
            thread.join()

    _run(library_folder, work)


def test_who_comes_back_gets_what_followed_and_then_what_happens(library_folder: Path) -> None:
    async def work(events: Events) -> None:
        for n in range(5):
            events.publish("seen", {"n": n}, member="ed", asset=b"x" * 16)
        second = (await events.since(0))[1]
        listener = _listening(_take(events, 4, second.id))
        for _ in range(3):
            await asyncio.sleep(0)
        events.publish("seen", {"n": 5})
        assert [event.data["n"] for event in await listener] == [2, 3, 4, 5]
        assert (second.member, second.asset) == ("ed", b"x" * 16)

    _run(library_folder, work)


def test_after_a_restart_events_go_on_with_larger_numbers_and_the_earlier_ones_are_known(library_folder: Path) -> None:
    seen: list[Event] = []

    async def before(events: Events) -> None:
        for n in range(3):
            events.publish("seen", {"n": n})
        seen.extend(await events.since(0))

    async def after(events: Events) -> None:
        events.publish("seen", {"n": 3})
        assert [e.data["n"] for e in await events.since(seen[0].id)] == [1, 2, 3]
        assert events.last > seen[-1].id

    _run(library_folder, before, now=lambda: 5_000)
    _run(library_folder, after, now=lambda: 1_000)  # a clock that was set back


def test_who_was_away_for_too_long_learns_that(library_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 4)
    monkeypatch.setattr(module, "_KEPT", 6)

    async def work(events: Events) -> None:
        for n in range(5):
            events.publish("seen", {"n": n})
        known = await events.since(0)
        assert [e.data["n"] for e in known] == [0, 1, 2, 3, 4], "from the table"
        for n in range(5, 12):
            events.publish("seen", {"n": n})
        with pytest.raises(Gap):
            await events.since(known[0].id)
        assert [e.data["n"] for e in await events.since(events.last - 1)] in ([11], [])

    _run(library_folder, work)


def test_who_does_not_keep_up_is_told_to_begin_anew(library_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEHIND", 3)

    async def work(events: Events) -> None:
        following = events.follow()
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        for n in range(10):
            events.publish("seen", {"n": n})
        with pytest.raises(Gap):
            await first
            while True:
                await anext(following)

    _run(library_folder, work)


def test_at_the_end_all_who_listen_go_home(library_folder: Path) -> None:
    async def work(events: Events) -> None:
        listener = _listening(_take(events, 1))
        await asyncio.sleep(0)
        events.hang_up()
        assert await listener == []
        assert await _take(events, 1) == []

    _run(library_folder, work)
