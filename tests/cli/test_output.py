"""What people see: hostile names and texts can neither take over a terminal nor be read as markup."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from imager.cli import output
from tests.cli.program import Program
from tests.pictures import jpeg, sidecar

HOSTILE = "[red]x[/] \x1b[31m\x1b]0;title\x07 \u202egpj.exe :smile: \\[bold] [link=http://x]y[/link]"


@given(st.text(st.characters(), max_size=40))
def test_safe_text_shows_as_it_is_but_for_what_controls_terminals(text: str) -> None:
    console = Console(emoji=False, highlight=False, soft_wrap=True, color_system=None)
    with console.capture() as shown:
        console.print(f"[dim]a[/]{output.safe(text)}[dim]b[/]", end="")
    cleaned = shown.get()
    assert cleaned[:1] == "a" and cleaned[-1:] == "b"
    assert len(cleaned) == len(text) + 2
    for before, after in zip(text, cleaned[1:-1], strict=True):
        assert after in (before, "\ufffd")
        assert after.isprintable() or after in "\u200d\ufe0f" or after == before
        assert ord(after) >= 32 and after not in "\x7f\x9b\u202e\u2066"


@pytest.mark.skipif(sys.platform != "linux", reason="such names are only possible there")
def test_hostile_names_and_texts_are_shown_harmless_everywhere(imager: Program) -> None:
    name = HOSTILE.replace("/", "|")
    path = imager.write(f"{name}.jpg", jpeg(1, description="[blink]caption\x1b[2J"))
    imager.write(f"{name}.xmp", sidecar(title="[red]title[/]", tags=("[b]tag[/b]",)))
    imager.write(f"bad {name}.jpg", b"")
    told = imager("add", "photos")
    assert "bad [red]x[|] \ufffd[31m" in told.err
    for words in (("search", ""), ("show", path), ("stats",), ("jobs", "--failed"), ("history", path)):
        done = imager(*words)
        assert done.status == 0
        if words[0] in ("search", "show"):
            assert "[red]x[|] \ufffd[31m\ufffd]0;title\ufffd \ufffdgpj.exe :smile: \\[bold]" in done.out
    shown = imager("show", path).out
    assert "[red]title[/]" in shown and "[b]tag[/b]" in shown and "[blink]caption[2J" in shown
    assert imager("tag", path, "[i]mine[/i]").status == 0
    assert "[i]mine[/i]" in imager("history", path).out
    assert "\ufffd" in imager.fails("show", f"{name} is not there")


def test_long_lines_are_not_broken(imager: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    path = imager.write("d" * 100 + "/" + "a" * 100 + ".jpg", jpeg(1))
    bad = imager.write("d" * 100 + "/" + "b" * 100 + ".jpg", b"")
    assert os.path.relpath(bad) in imager("add", "photos").err
    assert os.path.relpath(path) in imager("search", "").out
    assert os.path.relpath(path) in imager("show", path).out


def test_a_newcomer_is_told_what_happened_and_what_to_do_next(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1, taken="2021:07:04 15:30:00", make="Acme", model="One"))
    imager.write("b.jpg", jpeg(1, taken="2021:07:04 15:30:00", make="Acme", model="One"))
    imager.write("bad.jpg", b"")
    imager.write("notes.txt", b"x")
    told = imager("add", "photos")
    assert "4 files in" in told.out
    assert "1 added, 1 copy of a known picture, 1 is no picture, 1 failed" in told.out
    assert "imager jobs --failed" in told.out
    again = imager("add", "photos").out
    assert "3 unchanged" in again and "failed" not in again
    shown = imager("show", "photos/a.jpg").out
    assert "taken" in shown and "2021-07-04 15:30:00" in shown and "Acme, One" in shown
    assert imager("rate", "photos/a.jpg", "4").err.startswith("Done. 'imager undo ")
    assert "★★★★" in imager("show", "photos/a.jpg").out
    assert "rating = 4" in imager("history", "photos/a.jpg").out
    assert imager("search", "acme").out.splitlines() == ["photos/a.jpg  camera", "1 picture"]
    assert imager("doctor").out == "The library is sound.\n"
    assert imager("jobs").out == "1 file failed. 'imager jobs --failed' lists them, '--retry' tries again.\n"


def test_a_reader_that_has_seen_enough_ends_a_command_quietly(imager: Program) -> None:
    for n in range(3):
        imager.write(f"{n}.jpg", jpeg(n))
    imager.json("add", "photos")
    for words in (("search",), ("search", "--json")):
        read, write = os.pipe()
        os.close(read)
        with imager.start(*words, stdout=write, stderr=-1) as process:
            os.close(write)
            _, err = process.communicate()
        assert err == b""
        assert process.returncode in (1, 141)
