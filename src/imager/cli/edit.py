"""Commands that say something of pictures; each can be undone."""

from __future__ import annotations

from typing import Annotated

import typer

from imager.cli import output
from imager.cli.common import Json, Reference, open_library
from imager.cli.main import app
from imager.editing import FIELDS

Tags = Annotated[list[str], typer.Argument(metavar="TAG", help="Names; 'Animals|Dogs' is a tag within another.")]

_MINUS = {"ignore_unknown_options": True}
"""For commands whose values may begin with a minus: 'rate x -1', 'set x position -33.8,151.2'."""


def said(batch: str | None, json: bool) -> None:
    """What was said, for who wants to take it back."""
    if json:
        output.as_json({"batch": batch})
    else:
        output.err.print(f"[dim]Done. 'imager undo {batch}' takes it back.[/]")


@app.command()
def tag(reference: Reference, tags: Tags, json: Json = False) -> None:
    """Give a picture tags."""
    with open_library() as library:
        said(library.tag(reference, *tags), json)


@app.command()
def untag(reference: Reference, tags: Tags, json: Json = False) -> None:
    """Take tags away from a picture, also those that its file has."""
    with open_library() as library:
        said(library.untag(reference, *tags), json)


@app.command(context_settings=_MINUS)
def rate(
    reference: Reference,
    rating: Annotated[int, typer.Argument(min=-1, max=5, help="0 to 5, or -1 for rejected.")],
    json: Json = False,
) -> None:
    """Rate a picture."""
    with open_library() as library:
        said(library.set(reference, "rating", rating), json)


@app.command()
def caption(
    reference: Reference, text: Annotated[str, typer.Argument(help="'' hides the file's own.")], json: Json = False
) -> None:
    """Say what a picture shows."""
    with open_library() as library:
        said(library.set(reference, "caption", text), json)


@app.command()
def title(
    reference: Reference, text: Annotated[str, typer.Argument(help="'' hides the file's own.")], json: Json = False
) -> None:
    """Give a picture a title."""
    with open_library() as library:
        said(library.set(reference, "title", text), json)


@app.command("set", context_settings=_MINUS)
def set_field(
    reference: Reference,
    field: Annotated[str, typer.Argument(help=f"One of: {', '.join(FIELDS)}.")],
    value: Annotated[str, typer.Argument(help="E.g. 2021-07-04T15:30:00+02:00, or 48.8584,2.2945, or yes.")],
    json: Json = False,
) -> None:
    """Say any field of a picture: when and where it was taken, who made it, favourite, trashed."""
    with open_library() as library:
        said(library.set(reference, field, value), json)


@app.command()
def unset(
    reference: Reference,
    field: Annotated[str, typer.Argument(help=f"One of: {', '.join(FIELDS)}.")],
    json: Json = False,
) -> None:
    """Take a field as it is in the file again."""
    with open_library() as library:
        said(library.set(reference, field, None), json)


@app.command()
def trash(reference: Reference, json: Json = False) -> None:
    """Put a picture into the trash of the library; its file stays where it is."""
    with open_library() as library:
        said(library.set(reference, "trashed", True), json)


@app.command()
def restore(reference: Reference, json: Json = False) -> None:
    """Take a picture out of the trash."""
    with open_library() as library:
        said(library.set(reference, "trashed", None), json)


@app.command()
def join(reference: Reference, other: Reference, json: Json = False) -> None:
    """Say that two pictures are versions of one."""
    with open_library() as library:
        said(library.join(reference, other), json)


@app.command()
def separate(reference: Reference, json: Json = False) -> None:
    """Say that the versions of a picture are pictures of their own."""
    with open_library() as library:
        said(library.separate(reference), json)


@app.command()
def undo(
    name: Annotated[str | None, typer.Argument(help="An edit's name, as 'history' shows; the last by default.")] = None,
    json: Json = False,
) -> None:
    """Take back what was said last here, or an edit by its name. The name of an undo does it again."""
    with open_library() as library:
        batch = library.undo(name)
    if json:
        output.as_json({"undone": batch})
    else:
        output.err.print(f"[dim]Took back {batch}.[/]")
