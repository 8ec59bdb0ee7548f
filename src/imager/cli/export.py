"""Commands that let pictures out, and what was said of them in again: export, import."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from imager.cli import output
from imager.cli.common import Json, open_library, query_text
from imager.cli.main import app


@app.command()
def export(
    folder: Annotated[str, typer.Argument(metavar="DEST", help="The folder to write into; made if need be.")],
    query: Annotated[
        list[str] | None, typer.Argument(metavar="QUERY", help="Which pictures, as for 'imager search'; none: all.")
    ] = None,
    album: Annotated[str | None, typer.Option("--album", metavar="ALBUM", help="Only those in this album.")] = None,
    layout: Annotated[
        str, typer.Option("--layout", metavar="LAYOUT", help="'folders', as they lie now, or 'dates'.")
    ] = "folders",
    sidecars: Annotated[
        bool, typer.Option("--sidecars/--no-sidecars", help="Write what is known of each picture beside it, as XMP.")
    ] = True,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Also write imager.jsonl: everything, for 'imager import'.")
    ] = False,
    link: Annotated[bool, typer.Option("--link", help="Hard links instead of copies, where that can be.")] = False,
    json: Json = False,
) -> None:
    """Write copies of pictures into a folder, with all that is known of them. What lies there already is kept."""
    from imager.export import Exported, Failed, Report

    report = Report()
    with open_library() as library, output.bar(disable=json) as progress:
        task = progress.add_task("Exporting", total=None)
        for event in library.export(
            folder,
            query_text(query),
            album=album,
            layout=layout,  # type: ignore[arg-type]  # checked there
            sidecars=sidecars,
            jsonl=jsonl,
            link=link,
        ):
            if isinstance(event, Exported):
                progress.update(task, advance=1)
            elif isinstance(event, Failed):
                output.err.print(f"[yellow]{output.path_text(event.path)}:[/] {output.safe(event.reason)}")
            else:
                report = event
    if json:
        output.as_json(asdict(report))
    else:
        parts = [(report.copied, "copied"), (report.linked, "linked"), (report.kept, "there already")]
        parts += [(report.sidecars, "sidecars written"), (len(report.failed), "with a problem")]
        told = ", ".join(f"{count:,} {word}" for count, word in parts if count)
        output.out.print(f"{output.number(report.pictures, 'picture')}{': ' if told else ''}{told}.")
    if report.pictures and not report.copied + report.linked + report.kept:
        raise typer.Exit(1)


@app.command("import")
def take(
    path: Annotated[str, typer.Argument(metavar="PATH", help="An imager.jsonl, or the folder of an export with one.")],
    json: Json = False,
) -> None:
    """Take in what was said of exported pictures: values, tags, albums, history. 'imager add' brings the files."""
    with open_library(create=True) as library:
        taken = library.take(path)
    if json:
        output.as_json({"pictures": taken.pictures, "albums": taken.albums, "edits": taken.edits, "new": taken.new})
    else:
        output.out.print(
            f"{taken.new:,} of {output.number(taken.edits, 'edit')} were new "
            f"({output.number(taken.pictures, 'picture')}, {output.number(taken.albums, 'album')})."
        )
