"""Pictures in the terminal, where it can show them: kitty's graphics protocol, iTerm2's inline images, or half blocks.

What a terminal can do is read from its environment: asking it would mean to wait for an answer. Within tmux and screen,
which pass pictures on only when told to, half blocks are used. Nothing is ever written to a pipe.

Sources: sw.kovidgoyal.net/kitty/graphics-protocol, iterm2.com/documentation-images.html.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

from PIL import Image
from rich.cells import cell_len, set_cell_size

from imager.cli import output

Way = Literal["kitty", "iterm", "blocks"]
Drawing = Callable[[Image.Image, int, int], str]

_ESC: Final = "\x1b"
_CHUNK: Final = 4096  # characters of base64 in one command of kitty's
_GRID: Final = 24, 10  # columns and rows of a picture in a grid
_ONE: Final = 48, 20
_GAP: Final = 2
_CELL: Final = 10, 20  # pixels, about, of a cell: pictures are sent no larger than they will be


def way_of(environ: Mapping[str, str], *, is_terminal: bool) -> Way | None:
    """How the terminal can show pictures; None: it can't, or is none."""
    terminal, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if not is_terminal or terminal in ("", "dumb"):
        return None
    if "TMUX" not in environ and not terminal.startswith(("screen", "tmux")):
        if program in ("iTerm.app", "WezTerm") or environ.get("LC_TERMINAL") == "iTerm2":
            return "iterm"
        if terminal in ("xterm-kitty", "xterm-ghostty") or program == "ghostty" or "KITTY_WINDOW_ID" in environ:
            return "kitty"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") and not environ.get("NO_COLOR"):
        return "blocks"
    return None


def this_way() -> Way | None:
    """How standard output can show pictures."""
    return way_of(os.environ, is_terminal=sys.stdout.isatty())


def show(thumbnail: bytes | None, way: Way) -> None:
    """Show one picture, given as JPEG; nothing where it can't be decoded."""
    if (image := _decoded(thumbnail)) is not None:
        width = min(_ONE[0], shutil.get_terminal_size().columns)
        _write(_row([(image, "")], way, width, _ONE[1]))


def grid(pictures: Iterator[tuple[bytes | None, str]], way: Way) -> None:
    """Show pictures (JPEG) beside each other, with a caption below each, row after row as they come."""
    width, height = _GRID
    columns = max(1, (shutil.get_terminal_size().columns + _GAP) // (width + _GAP))
    row: list[tuple[Image.Image | None, str]] = []
    for thumbnail, caption in pictures:
        row.append((_decoded(thumbnail), caption))
        if len(row) == columns:
            _write(_row(row, way, width, height))
            row = []
    if row:
        _write(_row(row, way, width, height))


def _decoded(data: bytes | None) -> Image.Image | None:
    if data is None:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _write(text: str) -> None:
    output.out.file.flush()
    sys.stdout.write(text)
    sys.stdout.flush()


def _row(pictures: Sequence[tuple[Image.Image | None, str]], way: Way, width: int, height: int) -> str:
    """A row of pictures, each in a box of so many columns and rows, and their captions."""
    sizes = [None if image is None else fitted(image.size, width, height) for image, _ in pictures]
    used = max((size[1] for size in sizes if size is not None), default=0)
    text = ""
    if way == "blocks":
        drawn = [
            [] if image is None or size is None else half_blocks(image, *size)
            for (image, _), size in zip(pictures, sizes, strict=True)
        ]
        for n in range(used):
            cells = [
                (lines[n] + " " * (width - size[0]) if size is not None and n < len(lines) else " " * width)
                for lines, size in zip(drawn, sizes, strict=True)
            ]
            text += (" " * _GAP).join(cells).rstrip(" ") + "\n"
    elif used:
        # Room is made first, since a screen that scrolls takes what was drawn along; then each picture is put at its
        # place from one fixed point.
        text += "\n" * used + f"{_ESC}[{used}A"
        draw = kitty if way == "kitty" else iterm
        for n, ((image, _), size) in enumerate(zip(pictures, sizes, strict=True)):
            if image is not None and size is not None:
                right = n * (width + _GAP)
                text += f"{_ESC}7" + (f"{_ESC}[{right}C" if right else "") + draw(image, *size) + f"{_ESC}8"
        text += f"{_ESC}[{used}B\r"
    if any(caption for _, caption in pictures):
        text += (" " * _GAP).join(_caption(caption, width) for _, caption in pictures).rstrip() + "\n"
    return text


def _caption(caption: str, width: int) -> str:
    """A caption as wide as its picture's box, without anything that a terminal would act upon."""
    plain = output.plain(caption)
    return (
        set_cell_size(plain[: 4 * width], width - 1) + "…" if cell_len(plain) > width else set_cell_size(plain, width)
    )


def fitted(size: tuple[int, int], columns: int, rows: int) -> tuple[int, int]:
    """The largest columns and rows within a box that keep a picture's shape; a cell is twice as high as wide."""
    width, height = max(size[0], 1), max(size[1], 1)
    scale = min(columns / width, 2 * rows / height)
    return max(1, min(columns, round(width * scale))), max(1, min(rows, round(height * scale / 2)))


def kitty(image: Image.Image, columns: int, rows: int) -> str:
    """A picture as PNG in kitty's protocol, drawn where the cursor is. No answer is asked for."""
    buffer = io.BytesIO()
    _reduced(image, columns, rows).save(buffer, "PNG", compress_level=6)
    data = base64.standard_b64encode(buffer.getvalue()).decode()
    pieces = [data[at : at + _CHUNK] for at in range(0, len(data), _CHUNK)]
    text = ""
    for n, piece in enumerate(pieces):
        more = int(n < len(pieces) - 1)
        keys = f"a=T,f=100,q=2,C=1,c={columns},r={rows},m={more}" if n == 0 else f"m={more}"
        text += f"{_ESC}_G{keys};{piece}{_ESC}\\"
    return text


def iterm(image: Image.Image, columns: int, rows: int) -> str:
    """A picture as JPEG in iTerm2's protocol, drawn where the cursor is."""
    buffer = io.BytesIO()
    _reduced(image, columns, rows).save(buffer, "JPEG", quality=88)
    data = buffer.getvalue()
    keys = f"inline=1;size={len(data)};width={columns};height={rows};preserveAspectRatio=0"
    return f"{_ESC}]1337;File={keys}:{base64.standard_b64encode(data).decode()}\x07"


def half_blocks(image: Image.Image, columns: int, rows: int) -> list[str]:
    """A picture as lines of '▀': the upper half of each cell in the colour of the letter, the lower of its ground."""
    pixels = image.resize((columns, 2 * rows), Image.Resampling.BOX).tobytes()
    stride = 3 * columns
    lines = []
    for top in range(0, len(pixels), 2 * stride):
        cells, before = [], b""
        for at in range(top, top + stride, 3):
            pair = pixels[at : at + 3] + pixels[at + stride : at + stride + 3]
            if pair != before:
                cells.append(f"{_ESC}[38;2;{pair[0]};{pair[1]};{pair[2]};48;2;{pair[3]};{pair[4]};{pair[5]}m")
                before = pair
            cells.append("▀")
        lines.append("".join(cells) + f"{_ESC}[0m")
    return lines


def _reduced(image: Image.Image, columns: int, rows: int) -> Image.Image:
    """No more pixels than the cells will have, on screens of double density."""
    size = columns * _CELL[0] * 2, rows * _CELL[1] * 2
    if image.width <= size[0] and image.height <= size[1]:
        return image
    return image.resize((min(image.width, size[0]), min(image.height, size[1])), Image.Resampling.LANCZOS)
