"""Commands that keep a library in order: doctor, forget, erase."""

from __future__ import annotations

from typing import Annotated

import typer

from imager.cli import output
from imager.cli.common import Json, Reference, open_library
from imager.cli.main import app


@app.command()
def doctor(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look; mend nothing.")] = False, json: Json = False
) -> None:
    """Check the library, mend what can be made again. Exit status 0 only when it is sound."""
    with open_library() as library:
        found = library.doctor(repair=not dry_run)
    if json:
        output.as_json({"ok": found.ok, "problems": found.problems, "repaired": found.repaired})
    else:
        for line in found.repaired:
            output.out.print(f"[green]mended[/]  {output.safe(line)}")
        for line in found.problems:
            output.out.print(f"[red]wrong[/]   {output.safe(line)}")
        if found.ok:
            output.out.print("The library is sound.")
    if not found.ok:
        raise typer.Exit(1)


@app.command()
def forget(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A folder or file that is gone for good.")],
    json: Json = False,
) -> None:
    """Let go of missing files at or below a path. What was said of them returns if they ever do."""
    with open_library() as library:
        count = library.forget(path)
    if json:
        output.as_json({"forgotten": count})
    else:
        output.out.print(f"{output.number(count, 'missing file was', 'missing files were')} forgotten.")


@app.command()
def erase(
    reference: Reference,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Remove a picture and all that is known of it from the library, for good. Its files stay where they are."""
    with open_library() as library:
        known = library.show(reference)
        if not yes:
            typer.confirm(f"Erase {known['id']} and everything said of it? This can't be undone.", abort=True, err=True)
        library.erase(reference)
    if json:
        output.as_json({"erased": known["id"]})
    else:
        output.out.print("Erased. Naming the file itself in 'imager add' would bring the picture back, bare.")
