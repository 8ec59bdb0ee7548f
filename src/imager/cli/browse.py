"""Commands that look: search, show, history, stats."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imager.cli import output
from imager.cli.common import Json, Reference, offered, open_library, query_text
from imager.cli.main import app
from imager.library import Library

if TYPE_CHECKING:
    from imager.search import Page


@app.command()
def search(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="What to look for.", autocompletion=offered)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many hits.")] = 50,
    after: Annotated[str | None, typer.Option("--after", help="Go on after this page: its 'next'.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Show them, in terminals that can show pictures.")
    ] = False,
    complete: Annotated[
        str | None, typer.Option("--complete", metavar="TEXT", help="What this beginning of a query may go on with.")
    ] = None,
    json: Json = False,
) -> None:
    """Find pictures in your own words: 'red door', 'last summer in Paris', 'not blurry'. No words: all, newest first.

    word* finds beginnings, "two words" a phrase, -word leaves out (write -- before the first word then). Filters: tag:
    person: album: place: near:Paris/10km camera: lens: date: year: rating:>=4 colour:red is:favourite has:gps sort:.
    Put a query with quotes or > into single quotes. docs/search.md teaches all of it.
    """
    if complete is not None:
        _complete(complete, limit, json=json)
        return
    with open_library() as library:
        page = library.search(query_text(words), limit=limit, after=after)
        if json:
            output.as_json(asdict(page))
        else:
            if pictures:
                _show_pictures(library, page)
            print_hits(page)


@app.command()
def show(
    reference: Reference,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Show it, in terminals that can show pictures.")
    ] = True,
    json: Json = False,
) -> None:
    """Everything that is known of a picture."""
    with open_library() as library:
        known = library.show(reference)
        if pictures and not json:
            _show_picture(library, known["id"])
    if json:
        output.as_json(known)
    else:
        output.table(_told(known))


def _complete(text: str, limit: int, *, json: bool) -> None:
    with open_library() as library:
        found = library.complete(text, limit=limit)
    if json:
        output.as_json(
            {"completions": [asdict(c) | {"query": text[: c.start] + c.text + text[c.end :]} for c in found]}
        )
        return
    for c in found:
        count = "" if c.count is None else f"  [dim]{c.count:,}[/]"
        output.out.print(
            f"{output.safe(text[: c.start] + c.text + text[c.end :])}  [dim]{output.safe(c.kind)}[/]{count}"
        )


def _show_picture(library: Library, reference: str) -> None:
    if output.out.is_terminal:  # elsewhere nothing needs to be loaded
        from imager.cli import pictures

        if (way := pictures.this_way()) is not None:
            pictures.show(library.thumbnail(reference), way)


def _show_pictures(library: Library, page: Page) -> None:
    """The pictures of a page in a grid, with the names of their files."""
    if output.out.is_terminal:
        from imager.cli import pictures

        if (way := pictures.this_way()) is not None:
            named = ((library.thumbnail(h.id), os.path.basename(h.path) if h.path else h.id) for h in page.hits)
            pictures.grid(named, way)


@app.command()
def history(reference: Reference, json: Json = False) -> None:
    """What was said of a picture, latest first; each name can be given to 'imager undo'."""
    with open_library() as library:
        said = library.history(reference)
    if json:
        output.as_json({"history": said})
        return
    if not said:
        output.out.print("Nothing was said of this picture yet.")
    for edit in said:
        value = "erased" if edit["erased"] else "as found" if edit["value"] is None else str(edit["value"])
        element = f" {output.safe(str(edit['element']))}" if edit["field"] != "rating" and edit["element"] else ""
        undone = f" [dim](undone by {edit['undone_by']})[/]" if edit["undone"] else ""
        output.out.print(
            f"{edit['at'][:19].replace('T', ' ')}  {edit['field']}{element} = {output.safe(value)}  "
            f"[dim]{edit['batch']}[/]{undone}"
        )


@app.command()
def stats(json: Json = False) -> None:
    """What the library holds."""
    with open_library() as library:
        if json:
            output.as_json(library.stats())
        else:
            print_stats(library)


def print_hits(page: Page) -> None:
    """What was understood, where that is not just words, then the hits of a page, a line each."""
    if any(chip["kind"] != "word" for chip in page.chips):
        output.out.print(f"[dim]{output.safe(' · '.join(_chip(chip) for chip in page.chips))}[/]")
    for hit in page.hits:
        fields = ", ".join(sorted({w.get("field") or w["channel"] for w in hit.why}))
        where = output.path_text(hit.path) if hit.path else hit.id
        output.out.print(f"{where}  [dim]{fields}[/]" if fields else where)
    more = f", {len(page.hits):,} shown" if page.total > len(page.hits) else ""
    output.out.print(f"[dim]{output.number(page.total, 'picture')}{more}[/]")


def _chip(chip: dict[str, Any]) -> str:
    if chip["kind"] == "corrected":
        return f"{chip['text']} instead of {chip['instead_of']}"
    return str(chip["text"])


def print_stats(library: Library) -> None:
    """What the library holds, for people."""
    held = library.stats()
    rows = [("pictures", f"{held['pictures']:,}")]
    if held["first"]:
        rows.append(("taken", f"{held['first'][:10]} to {held['last'][:10]}"))
    rows += [
        (name, ", ".join(f"{output.safe(v['value'])} [dim]{v['count']:,}[/]" for v in held[name][:8]))
        for name in ("cameras", "places", "tags", "people")
        if held[name]
    ]
    names = ("located", "favourites", "albums", "missing", "trashed", "failed")
    rows += [(name, f"{held[name]:,}") for name in names if held[name]]
    rows.append(("library", output.path_text(held["library"])))
    output.table(rows)


def _told(known: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines that people see of a picture; what is unknown is left out."""
    edited = set(known["edited"])

    def said(name: str) -> str:
        return " [dim](said by you)[/]" if name in edited else ""

    place = known["place"] or {}
    where = ", ".join(output.safe(place[k]) for k in ("name", "city", "region", "country") if place.get(k))
    position = None
    if known["latitude"] is not None:
        position = f"{known['latitude']:.5f}, {known['longitude']:.5f}"
    exposure = [
        _seconds(known["exposure_time"]),
        f"f/{known['f_number']:g}" if known["f_number"] else None,
        f"ISO {known['iso']}" if known["iso"] else None,
        f"{known['focal_length']:g} mm" if known["focal_length"] else None,
    ]
    camera = [known["make"], known["model"], known["lens"]]
    rows: list[tuple[str, str | None]] = [
        ("id", known["id"]),
        ("title", _text(known["title"], said("title"))),
        ("caption", _text(known["caption"], said("caption"))),
        (
            "taken",
            f"{known['taken_at'].replace('T', ' ')}"
            + (f" {known['time_zone']}" if known["time_zone"] else "")
            + (said("taken_at") or f" [dim](from {output.safe(_evidence(known['taken_at_source']))})[/]"),
        ),
        ("place", where or None),
        ("position", position and position + said("position")),
        ("camera", ", ".join(output.safe(c) for c in camera if c) or None),
        ("exposure", "  ".join(e for e in exposure if e) or None),
        ("size", f"{known['width']} × {known['height']}, {known['mime']}, {known['bytes']:,} bytes"),
        ("rating", None if known["rating"] is None else ("★" * known["rating"] or "none") + said("rating")),
        ("tags", ", ".join(output.safe(t["name"].replace("|", " › ")) for t in known["tags"]) or None),
        ("people", ", ".join(output.safe(p["name"]) for p in known["people"]) or None),
        ("creator", _text(known["creator"], said("creator"))),
        ("copyright", _text(known["copyright"], said("copyright"))),
        ("colours", _colours(known["colours"])),
        *(
            ("file", output.path_text(f["path"]) + ("" if f["state"] == "present" else f" ({f['state']})"))
            for f in known["files"]
        ),
        *(("problem", f"[yellow]{output.safe(p)}[/]") for p in known["problems"]),
    ]
    return [(name, value) for name, value in rows if value]


def _text(value: str | None, note: str) -> str | None:
    return None if value is None else output.safe(value) + note


def _evidence(source: str) -> str:
    """What a date was taken from, for people."""
    return {"file": "the file's own time", "name": "the file's name", "gps": "the satellites' time"}.get(source, source)


def _colours(colours: list[dict[str, Any]]) -> str | None:
    """Dominant colours; shades of one name are one colour to people."""
    shares: dict[str, float] = {}
    for colour in colours:
        shares[colour["name"]] = shares.get(colour["name"], 0) + colour["share"]
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {share:.0%}" for name, share in ordered) or None


def _seconds(value: float | None) -> str | None:
    if not value:
        return None
    return f"1/{round(1 / value)} s" if value < 0.3 else f"{value:g} s"
