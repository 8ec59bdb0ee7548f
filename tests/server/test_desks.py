"""Desks: who sees what there, what happens to errors, to too much, and at the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import pytest

from imager.access import Principal
from imager.errors import ForbiddenError, ImagerError, NotFoundError
from imager.library import Library
from imager.server.app import create_app
from imager.server.asking import SCOPES, Asker
from imager.server.desks import WAITING, Desks
from imager.server.problems import ProblemError
from imager.server.settings import Settings


@pytest.fixture
def desks(library_folder: Path) -> Iterator[Desks]:
    made = Desks(library_folder)
    yield made
    assert made.stop(seconds=10)


def _asker(member: str) -> Asker:
    return Asker(Principal(member), "session", frozenset(SCOPES), "x")


def _first(library: Library) -> str:
    return library.search("").hits[0].id


def _run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def test_a_desk_sees_the_library_as_the_asker_does(desks: Desks) -> None:
    async def ask() -> None:
        picture = await desks.search(_asker("vic"), _first)
        assert (await desks.read(_asker("vic"), lambda library: library.show(picture)))["id"] == picture
        with pytest.raises(ForbiddenError):
            await desks.write(_asker("vic"), lambda library: library.set(picture, "rating", 5))
        with pytest.raises(NotFoundError):
            await desks.read(_asker("stranger"), lambda library: library.show(picture))
        await desks.write(_asker("ed"), lambda library: library.set(picture, "rating", 5))
        (edit,) = await desks.owner("read", lambda library: library.history(picture))
        assert edit["author"] == "ed"

    _run(ask())


def test_each_desk_is_one_thread_with_one_library(desks: Desks) -> None:
    async def ask() -> None:
        def where(library: Library) -> tuple[int, int]:
            return threading.get_ident(), id(library.catalog)

        found = {name: {await desks.owner(name, where) for _ in range(3)} for name in WAITING}
        assert all(len(places) == 1 for places in found.values())
        assert len(set.union(*found.values())) == len(WAITING)

    _run(ask())


def test_errors_reach_who_asked_and_the_desk_goes_on(desks: Desks) -> None:
    async def ask() -> None:
        def fails(error: BaseException) -> Any:
            def function(_: Library) -> None:
                raise error

            return function

        with pytest.raises(ZeroDivisionError):
            await desks.owner("read", fails(ZeroDivisionError()))
        for unusual in (StopIteration(), KeyboardInterrupt(), SystemExit(3)):
            with pytest.raises(RuntimeError, match=type(unusual).__name__):
                await desks.owner("read", fails(unusual))
        assert await desks.owner("read", lambda _: 1) == 1

    _run(ask())


def test_too_much_is_refused_at_once_and_what_nobody_waits_for_is_not_begun(desks: Desks) -> None:
    async def ask() -> None:
        go, begun = threading.Event(), threading.Event()
        done: list[int] = []

        def holds(_: Library) -> None:
            begun.set()
            go.wait(30)

        first = asyncio.create_task(desks.owner("ingest", holds))
        while not begun.is_set():
            await asyncio.sleep(0)
        waiting = [
            asyncio.create_task(desks.owner("ingest", partial(lambda n, _: done.append(n), n)))
            for n in range(WAITING["ingest"])
        ]
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as refused:
            await desks.owner("ingest", lambda _: None)
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
        waiting[0].cancel()
        await asyncio.sleep(0)
        go.set()
        await first
        await asyncio.gather(*waiting[1:])
        assert done == list(range(1, WAITING["ingest"]))

    _run(ask())


def test_at_the_end_what_runs_is_finished_and_what_waits_is_not_begun(library_folder: Path) -> None:
    desks = Desks(library_folder)

    async def ask() -> None:
        begun = threading.Event()
        done: list[str] = []

        def runs(_: Library) -> None:
            begun.set()
            desks.stopping.wait(30)
            done.append("ran")

        first = asyncio.create_task(desks.owner("ingest", runs))
        while not begun.is_set():
            await asyncio.sleep(0)
        second = asyncio.create_task(desks.owner("ingest", lambda _: done.append("waited")))
        await asyncio.sleep(0)
        assert await asyncio.to_thread(desks.stop, seconds=10)
        await first
        for late in (second, desks.owner("read", lambda _: None)):
            with pytest.raises(ProblemError, match="about to stop"):
                await late
        assert done == ["ran"]

    _run(ask())


def test_a_library_that_went_away_is_no_answer_about_the_disk(tmp_path: Path) -> None:
    desks = Desks(tmp_path / "gone")

    async def ask() -> None:
        with pytest.raises(ProblemError) as refused:
            await desks.owner("read", lambda _: None)
        assert refused.value.status == 503
        assert str(tmp_path) not in refused.value.detail

    _run(ask())
    assert desks.stop()


def test_a_server_that_can_not_begin_says_why(settings: Settings, library_folder: Path) -> None:
    catalog = apsw.Connection(str(library_folder / "catalog.db"))
    catalog.execute("DROP TABLE told")
    catalog.close()
    app = create_app(settings)

    async def begin() -> None:
        async with app.router.lifespan_context(app):
            pytest.fail("it began")

    with pytest.raises(ImagerError):
        asyncio.run(begin())
    assert "told" in app.state.imager.failure
