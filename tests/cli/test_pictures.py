"""Pictures in the terminal: the bytes are those of each protocol, and nothing reaches a pipe."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image

from imager.cli import output, pictures
from imager.cli.pictures import Way
from imager.ingest.thumbhash import picture_of, thumbhash
from tests.cli.program import Program
from tests.pictures import jpeg, saved, scene

KITTY = {"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1", "COLORTERM": "truecolor"}
ITERM = {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"}
BLOCKS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
DETECTED = ("TERM", "TERM_PROGRAM", "LC_TERMINAL", "COLORTERM", "KITTY_WINDOW_ID", "TMUX", "NO_COLOR")


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        (KITTY, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, "kitty"),
        (ITERM, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        (BLOCKS, "blocks"),
        (KITTY | {"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0"}, "blocks"),
        (ITERM | {"TERM": "screen"}, "blocks"),
        (BLOCKS | {"NO_COLOR": "1"}, None),
        ({"TERM": "xterm-256color"}, None),
        (KITTY | {"TERM": "dumb"}, None),
        ({"COLORTERM": "truecolor"}, None),
        ({}, None),
    ],
)
def test_what_a_terminal_can_do_is_read_from_its_environment(environ: Mapping[str, str], way: Way | None) -> None:
    assert pictures.way_of(environ, is_terminal=True) == way
    assert pictures.way_of(environ, is_terminal=False) is None


def test_kitty_gets_a_png_in_chunks() -> None:
    image = scene(3, (256, 192))
    text = pictures.kitty(image, 24, 9)
    commands = re.findall(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{data}\x1b\\" for keys, data in commands) == text
    assert len(commands) > 1
    assert commands[0][0] == "a=T,f=100,q=2,C=1,c=24,r=9,m=1"
    assert [keys for keys, _ in commands[1:]] == ["m=1"] * (len(commands) - 2) + ["m=0"]
    assert all(len(data) == 4096 for _, data in commands[:-1])
    assert len(commands[-1][1]) <= 4096
    with Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in commands)))) as decoded:
        assert decoded.format == "PNG"
        assert np.array_equal(np.asarray(decoded), np.asarray(image))
    small = pictures.kitty(Image.new("RGB", (2, 2)), 4, 2)
    assert re.fullmatch(r"\x1b_Ga=T,f=100,q=2,C=1,c=4,r=2,m=0;[^;]+\x1b\\", small)


def test_iterm_gets_a_jpeg_of_the_size_that_is_said() -> None:
    text = pictures.iterm(scene(3, (256, 192)), 24, 9)
    found = re.fullmatch(
        r"\x1b\]1337;File=inline=1;size=(\d+);width=24;height=9;preserveAspectRatio=0:([A-Za-z0-9+/=]+)\x07", text
    )
    assert found
    data = base64.b64decode(found[2])
    assert len(data) == int(found[1])
    with Image.open(io.BytesIO(data)) as decoded:
        assert (decoded.format, decoded.size) == ("JPEG", (256, 192))


def test_pictures_are_sent_no_larger_than_they_will_be_seen() -> None:
    text = pictures.iterm(scene(3, (2000, 1500)), 10, 4)
    with Image.open(io.BytesIO(base64.b64decode(text.rpartition(":")[2][:-1]))) as decoded:
        assert decoded.size == (200, 160)


def blocks_of(lines: list[str]) -> np.ndarray:
    """Half blocks back as pixels."""
    rows: list[list[list[int]]] = []
    for line in lines:
        assert line.endswith("\x1b[0m")
        upper, lower = [], []
        for codes, cells in re.findall(r"\x1b\[38;2;(\d+;\d+;\d+;48;2;\d+;\d+;\d+)m(▀+)", line):
            numbers = [int(n) for n in codes.split(";")]
            upper += [numbers[:3]] * len(cells)
            lower += [numbers[5:]] * len(cells)
        rows += [upper, lower]
    return np.array(rows, np.uint8)


def test_half_blocks_show_two_pixels_a_cell() -> None:
    image = scene(3, (24, 18))
    lines = pictures.half_blocks(image, 24, 9)
    assert np.array_equal(blocks_of(lines), np.asarray(image))
    plain = pictures.half_blocks(Image.new("RGB", (8, 8), (1, 2, 3)), 8, 4)
    assert plain == ["\x1b[38;2;1;2;3;48;2;1;2;3m" + "▀" * 8 + "\x1b[0m"] * 4


@pytest.mark.parametrize(
    ("size", "fits"),
    [((400, 300), (24, 9)), ((300, 400), (15, 10)), ((4000, 10), (24, 1)), ((1, 5000), (1, 10)), ((0, 0), (20, 10))],
)
def test_pictures_keep_their_shape(size: tuple[int, int], fits: tuple[int, int]) -> None:
    assert pictures.fitted(size, 24, 10) == fits


class Terminal(io.StringIO):
    """Standard output that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(
    imager: Program, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], *words: str, columns: str = "80"
) -> str:
    """What a command writes to a terminal."""
    for name in DETECTED:
        monkeypatch.delenv(name, raising=False)
    for name, value in (environ | {"COLUMNS": columns, "LINES": "40"}).items():
        monkeypatch.setenv(name, value)
    out = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(output.out, "_force_terminal", True)
        patch.setattr(sys, "argv", ["imager", "--library", str(imager.library), *words])
        from imager.cli import main

        try:
            main()
        except SystemExit as end:
            assert not end.code
    return out.getvalue()


def test_show_shows_the_picture_where_it_can(imager: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    path = imager.write("a.jpg", jpeg(1, size=(640, 480)))
    imager.json("add", "photos")
    for environ, start in ((KITTY, "\x1b_Ga=T"), (ITERM, "\x1b]1337;File="), (BLOCKS, "\x1b[38;2;")):
        text = shown(imager, monkeypatch, environ, "show", path)
        assert text.count(start) >= 1
        assert "640 × 480" in text
        assert start not in shown(imager, monkeypatch, environ, "show", path, "--no-pictures")
        assert start not in shown(imager, monkeypatch, environ, "show", path, "--json")
    drawn = shown(imager, monkeypatch, ITERM, "show", path)
    assert drawn.startswith("\n" * 18 + "\x1b[18A\x1b7\x1b]1337;File=inline=1;")
    assert "\x07\x1b8\x1b[18B\r" in drawn
    assert "\x1b" not in shown(imager, monkeypatch, {"TERM": "dumb"}, "show", path).replace("\x1b[2m", "").replace(
        "\x1b[0m", ""
    )
    for name, value in KITTY.items():
        monkeypatch.setenv(name, value)
    assert "\x1b" not in imager("show", path, "--pictures").out  # not a terminal


def test_search_shows_a_grid_with_names_that_are_safe(imager: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        imager.write(f"{n}\x1b]0;owned\x07[red]{'x' * 40}.jpg", jpeg(n))
    imager.json("add", "photos")
    text = shown(imager, monkeypatch, BLOCKS, "search", "--pictures")
    rows = [line for line in text.splitlines() if "▀" in line]
    assert len(rows) == 18  # two rows of three and one
    assert max(line.count("▀") for line in rows) == 72
    assert "0\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}[red]xxxxxxx…" in text
    assert "\x1b]" not in text
    assert "\x07" not in text
    grid = shown(imager, monkeypatch, KITTY, "search", "--pictures")
    assert re.findall(r"\x1b7(?:\x1b\[(\d+)C)?\x1b_Ga=T", grid) == ["", "26", "52", ""]
    assert "▀" not in shown(imager, monkeypatch, BLOCKS, "search")
    narrow = shown(imager, monkeypatch, BLOCKS, "search", "--pictures", columns="10")
    assert max(line.count("▀") for line in narrow.splitlines()) == 24


def test_a_lost_thumbnail_is_made_of_what_the_catalog_has_and_a_broken_one_is_left_out(
    imager: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = imager.write("a.jpg", jpeg(1, size=(640, 480)))
    imager.json("add", "photos")
    (thumbnail,) = imager.library.rglob("*.thumbnail.jpg")
    thumbnail.unlink()
    assert shown(imager, monkeypatch, BLOCKS, "show", path).count("▀") == 48 * 17  # about in its shape
    thumbnail.write_bytes(b"broken")
    assert "▀" not in shown(imager, monkeypatch, BLOCKS, "show", path)


def test_a_thumbhash_comes_back_as_about_the_picture_it_was_made_of() -> None:
    for size in ((100, 60), (60, 100), (80, 80)):
        across, down = np.meshgrid(np.linspace(20, 200, size[0]), np.linspace(40, 240, size[1]))
        image = Image.fromarray(np.stack((across, down, 220 - across / 2), axis=2).astype(np.uint8))
        decoded = picture_of(thumbhash(np.asarray(image)))
        height, width = decoded.shape[:2]
        assert max(width, height) == 32
        assert abs(width / height - size[0] / size[1]) < 0.25
        small = np.asarray(image.resize((width, height), Image.Resampling.BOX), np.float32)
        assert np.abs(small - decoded).mean() < 15
    grey = picture_of(thumbhash(np.full((40, 40, 3), 128, np.uint8)))
    assert np.abs(grey.astype(int) - 128).max() < 12


@pytest.mark.parametrize("bad", [b"", b"\0\0\x80\0\0", b"\xff\xff\x7f\xff\xff\0"])
def test_what_is_no_thumbhash_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="ThumbHash"):
        picture_of(bad)


def test_what_can_not_be_decoded_leaves_a_gap(capsys: pytest.CaptureFixture[str]) -> None:
    pictures.show(b"nothing", "blocks")
    pictures.show(saved(scene(1), "PNG"), "blocks")
    pictures.grid(iter([(None, "gone"), (jpeg(1), "here")]), "blocks")
    text = capsys.readouterr().out
    assert "gone" in text
    assert text.count("▀") == 24 * 9
