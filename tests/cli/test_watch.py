"""`imager watch` says what happens, a line each, until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from imager import watch as following
from imager.cli import watch
from imager.ingest.events import Added, Event, Finished, Gone, Moved, Replaced
from tests.cli.program import Program
from tests.pictures import jpeg

Step = tuple[type[Event], Callable[[], object]]


def play(monkeypatch: pytest.MonkeyPatch, name: str, *steps: Step) -> None:
    """Do each step once the event before it was told."""
    monkeypatch.setattr(following, "QUIET", 0.1)
    really = getattr(watch, name)
    left = list(steps)

    def told(event: Event) -> None:
        really(event)
        if left and isinstance(event, left[0][0]):
            left.pop(0)[1]()

    monkeypatch.setattr(watch, name, told)


def interrupt(number: int = signal.SIGINT) -> Callable[[], object]:
    return lambda: os.kill(os.getpid(), number)


def test_people_see_a_line_for_each_picture_and_ctrl_c_is_no_failure(
    imager: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    imager.write("a.jpg", jpeg(1))
    hostile = "b\x1b[31m.jpg"
    play(
        monkeypatch,
        "_tell",
        (Added, lambda: imager.write(hostile, jpeg(2))),
        (Added, lambda: imager.write(hostile, jpeg(3))),
        (Replaced, lambda: os.rename(imager.photos / hostile, imager.photos / "c.jpg")),
        (Moved, lambda: os.remove(imager.photos / "c.jpg")),
        (Gone, interrupt()),
    )
    done = imager("watch", "photos")
    assert done.status == 0
    lines = [line.split() for line in done.out.splitlines()]
    assert [words[0] for words in lines if words[0] in ("added", "replaced", "moved", "gone")] == [
        "added",
        "added",
        "replaced",
        "moved",
        "gone",
    ]
    assert "photos/b\N{REPLACEMENT CHARACTER}[31m.jpg → photos/c.jpg" in done.out
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_programs_read_an_object_a_line_and_a_polite_kill_ends_it(
    imager: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    imager.write("a.jpg", jpeg(1))
    play(monkeypatch, "_as_line", (Added, lambda: None), (Finished, interrupt(signal.SIGTERM)))
    done = imager("watch", "--json", "photos", "--poll", "0.2")
    assert done.status == 0
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [e["event"] for e in events if e["event"] != "finished"] == ["added"]
    assert events[-1]["event"] == "finished"
    assert events[-1]["report"]["added"] == 1
    assert done.out.isascii()


def test_what_can_not_be_followed_is_named(imager: Program) -> None:
    assert "nowhere does not exist" in imager.fails("watch", "nowhere")
    assert "knows no folder" in imager.fails("watch", status=2)
