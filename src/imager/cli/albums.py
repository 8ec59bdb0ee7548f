"""Commands for albums: what there is, what is in them, and all that is said of them; each can be undone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from imager.cli import output
from imager.cli.common import Json, open_library
from imager.cli.edit import said
from imager.cli.main import app
from imager.errors import UsageError

albums = typer.Typer(
    invoke_without_command=True,
    help="Albums as a tree; its commands make, fill, order and delete them. Each can be undone.",
)
app.add_typer(albums, name="albums")

Album = Annotated[str, typer.Argument(metavar="ALBUM", help="Its name, its path ('Trips/2021') or its id.")]
Pictures = Annotated[
    list[str] | None, typer.Argument(metavar="ID-or-PATH", help="Pictures, by id or by a file.", show_default=False)
]
Matching = Annotated[str | None, typer.Option("--query", "-q", metavar="QUERY", help="All that this search finds.")]


@albums.callback()
def tree(context: typer.Context, json: Json = False) -> None:
    """Albums as a tree, with how many pictures they show; their commands make, fill, order and delete them."""
    if context.invoked_subcommand is not None:
        return
    with open_library() as library:
        found = library.albums()
    if json:
        output.as_json({"albums": found})
        return
    if not found:
        output.out.print("There are no albums yet. 'imager albums create NAME' makes one.")
    for album in found:
        output.out.print(f"{'  ' * (len(album['path']) - 1)}{output.safe(album['name'])}  [dim]{_shows(album)}[/]")


@albums.command()
def show(
    album: Album,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many pictures.")] = 50,
    after: Annotated[str | None, typer.Option("--after", help="Go on after this page: its 'next'.")] = None,
    json: Json = False,
) -> None:
    """What an album is, and its pictures in their order."""
    with open_library() as library:
        known = library.album(album, limit=limit, after=after)
    if json:
        output.as_json(known)
        return
    rows = [
        ("album", output.safe("/".join(known["path"]))),
        ("id", known["id"]),
        ("about", output.safe(known["description"] or "")),
        ("shows", _shows(known)),
    ]
    output.table([(name, value) for name, value in rows if value])
    for picture in known["pictures"]:
        output.out.print(output.path_text(picture["path"]) if picture["path"] else picture["id"])
    if known["next"]:
        output.out.print(f"[dim]More with --after {output.safe(known['next'])}[/]")


@albums.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    within: Annotated[str | None, typer.Option("--in", metavar="PARENT", help="Nested in this album.")] = None,
    query: Annotated[str | None, typer.Option("--query", "-q", metavar="QUERY", help="Shows what this finds.")] = None,
    json: Json = False,
) -> None:
    """Make an album; with --query a smart one, which shows what that search finds, always anew."""
    with open_library() as library:
        identifier, batch = library.create_album(name, within=within, query=query)
    if json:
        output.as_json({"id": identifier, "batch": batch})
    else:
        output.out.print(identifier)
        said(batch, json)


@albums.command()
def add(album: Album, pictures: Pictures = None, query: Matching = None, json: Json = False) -> None:
    """Put pictures into an album: those that are named, and all that a search finds."""
    _need(pictures, query)
    with open_library() as library:
        _changed(library.add_to_album(album, *pictures or (), query=query), "All of them were in it already.", json)


@albums.command()
def remove(album: Album, pictures: Pictures = None, query: Matching = None, json: Json = False) -> None:
    """Take pictures out of an album; they stay in the library."""
    _need(pictures, query)
    with open_library() as library:
        _changed(library.remove_from_album(album, *pictures or (), query=query), "None of them was in it.", json)


@albums.command()
def order(
    album: Album,
    picture: Annotated[str, typer.Argument(metavar="ID-or-PATH", help="The picture that moves.")],
    before: Annotated[
        str | None, typer.Option("--before", metavar="ID-or-PATH", help="The one that follows it then.")
    ] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="ID-or-PATH", help="The one before it then.")] = None,
    json: Json = False,
) -> None:
    """Put a picture of an album before or after another; the others stand by the time they were taken."""
    _one_of(before, after)
    with open_library() as library:
        said(library.order_album(album, picture, before=before, after=after), json)


@albums.command()
def rename(
    album: Album, name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")], json: Json = False
) -> None:
    """Call an album otherwise."""
    with open_library() as library:
        said(library.rename_album(album, name), json)


@albums.command()
def edit(
    album: Album,
    description: Annotated[str | None, typer.Option("--about", metavar="TEXT", help="What it is about.")] = None,
    cover: Annotated[
        str | None, typer.Option("--cover", metavar="ID-or-PATH", help="The picture that stands for it; '': its first.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", "-q", metavar="QUERY", help="Shows what this finds; '': what was put in.")
    ] = None,
    json: Json = False,
) -> None:
    """Say what an album is about, which picture stands for it, or which search it shows."""
    if [description, cover, query].count(None) != 2:
        raise UsageError("Say one of --about, --cover and --query.")
    with open_library() as library:
        if description is not None:
            batch = library.describe_album(album, description)
        elif cover is not None:
            batch = library.set_album_cover(album, cover or None)
        else:
            batch = library.set_album_query(album, query or None)
        said(batch, json)


@albums.command()
def move(
    album: Album,
    within: Annotated[str | None, typer.Option("--in", metavar="PARENT", help="Into this album.")] = None,
    top: Annotated[bool, typer.Option("--top", help="To the top.")] = False,
    before: Annotated[str | None, typer.Option("--before", metavar="ALBUM", help="Before this one there.")] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="ALBUM", help="After this one there.")] = None,
    json: Json = False,
) -> None:
    """Nest an album in another one or bring it to the top, where its name belongs or beside another album."""
    if top == (within is not None):
        raise UsageError("Say where to: --in PARENT or --top.")
    if before is not None or after is not None:
        _one_of(before, after)
    with open_library() as library:
        said(library.move_album(album, within, before=before, after=after), json)


@albums.command()
def delete(album: Album, json: Json = False) -> None:
    """Delete an album; albums nested in it are hidden with it, all pictures stay."""
    with open_library() as library:
        said(library.delete_album(album), json)


@app.command()
def private(
    reference: Annotated[list[str], typer.Argument(metavar="ID-or-PATH", help="Pictures, by id or by a file.")],
    no: Annotated[bool, typer.Option("--no", help="Let all members see them again.")] = False,
    json: Json = False,
) -> None:
    """Hide pictures from everybody else who uses the library."""
    with open_library() as library:
        said(library.set_private(*reference, private=not no), json)


def _shows(album: dict[str, Any]) -> str:
    count = "a query of a newer Imager" if album["count"] is None else output.number(album["count"], "picture")
    return f"{count}: {output.safe(album['query'])}" if album["query"] else count


def _changed(batch: str | None, nothing: str, json: bool) -> None:
    if batch is None and not json:
        output.err.print(f"[dim]{nothing}[/]")
    else:
        said(batch, json)


def _need(pictures: list[str] | None, query: str | None) -> None:
    if not pictures and query is None:
        raise UsageError("Name pictures, or say with --query which.")


def _one_of(before: str | None, after: str | None) -> None:
    if (before is None) == (after is None):
        raise UsageError("Say either --before or --after.")
