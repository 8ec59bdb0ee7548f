"""Commands that bring pictures in: add, demo, run, jobs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from imager.cli import output
from imager.cli.common import Json, open_library
from imager.cli.main import app, settings
from imager.ingest.events import Event, Failed, Finished, Problem, Report
from imager.ingest.events import Progress as Step
from imager.library import Library, default_folder

Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes to use; one a core by default.")]


@app.command()
def add(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Folders or files to bring in.")],
    workers: Workers = None,
    until: Annotated[
        str, typer.Option("--until", metavar="STAGE", help="'done', or 'indexed': found by words is enough.")
    ] = "done",
    json: Json = False,
) -> None:
    """Bring folders and files into the library. Originals are only read; a second run does only what is new."""
    if until not in ("done", "indexed"):
        raise typer.BadParameter("it takes 'done' or 'indexed'", param_hint="--until")
    with open_library(create=True) as library:
        report = follow(library.add(*paths, workers=workers), quiet=json)
    if json:
        output.as_json(asdict(report))
    else:
        summary(report)
    nothing = report.found == len(report.failed) and report.found > 0
    if nothing and len(paths) == len(report.failed) and all(os.path.isfile(p) for p in paths):
        raise typer.Exit(1)


@app.command()
def jobs(
    failed: Annotated[bool, typer.Option("--failed", help="List the files that failed, with the reason.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Look at the failed files again.")] = False,
    json: Json = False,
) -> None:
    """What is unfinished: files that failed, and why."""
    with open_library() as library:
        report = follow(library.retry(), quiet=json) if retry else None
        problems = [{"path": os.fsdecode(p.path), "stage": p.stage, "reason": p.reason} for p in library.failed()]
    if json:
        output.as_json({"failed": problems, "retried": asdict(report) if report is not None else None})
        return
    if report is not None:
        summary(report)
    if not problems:
        output.out.print("Nothing has failed.")
    elif failed or retry:
        for problem in problems:
            output.out.print(f"{output.path_text(problem['path'])}\n    [dim]{output.safe(problem['reason'])}[/]")
    else:
        output.out.print(
            f"{output.number(len(problems), 'file')} failed. 'imager jobs --failed' lists them, '--retry' tries again."
        )


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to put the pictures.")] = Path("demo-photos"),
    count: Annotated[int, typer.Option("--count", min=1, help="How many pictures.")] = 300,
    seed: Annotated[int, typer.Option("--seed", help="Another number draws other pictures.")] = 7,
    json: Json = False,
) -> None:
    """Draw photo-like pictures with dates, places, tags and captions, to try Imager on."""
    drawn = _draw(folder, count, seed, quiet=json)
    if json:
        output.as_json({"folder": os.path.abspath(folder), "drawn": drawn})
    else:
        output.out.print(f"{drawn:,} pictures in {output.path_text(os.path.abspath(folder))}")


def _draw(folder: Path, count: int, seed: int, *, quiet: bool) -> int:
    from imager.demo import draw

    with output.bar(disable=quiet) as progress:
        task = progress.add_task("Drawing", total=count)
        return draw(
            os.fspath(folder),
            count=count,
            seed=seed,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


@app.command()
def run(
    photos: Annotated[str | None, typer.Argument(metavar="FOLDER", help="Folder of pictures.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="Without a folder: how many pictures to draw.")] = 300,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Bring a folder in and show what was found; without a folder, a demo library is drawn first."""
    if photos is None:
        settings.library = settings.library or "demo-library"
        photos = "demo-photos"
        drawn = _draw(Path(photos), count, 7, quiet=json)
        if not json:
            output.out.print(f"{drawn:,} pictures drawn in {output.path_text(os.path.abspath(photos))}")
    where = settings.library or os.fspath(default_folder())
    with open_library(create=True) as library:
        report = follow(library.add(photos, workers=workers), quiet=json)
        if json:
            output.as_json({"report": asdict(report), "stats": library.stats()})
        else:
            summary(report)
            _show_what_is_there(library, where)


def _show_what_is_there(library: Library, where: str) -> None:
    from imager.cli.browse import print_hits, print_stats

    output.out.print()
    print_stats(library)
    output.out.print("\n[bold]Newest[/]")
    print_hits(library.search("", limit=5))
    option = "" if where == os.fspath(default_folder()) else f" --library {where}"
    program = os.path.relpath(sys.argv[0]) if os.path.exists(sys.argv[0]) else "imager"
    output.out.print(f"\nTry:  {output.safe(program)}{output.safe(option)} search lisbon")


def follow(events: Iterator[Event], *, quiet: bool) -> Report:
    """Show a run's progress and problems on standard error; returns its report."""
    report = Report()
    with output.bar(disable=quiet) as progress:
        task = progress.add_task("Looking", total=None)
        for event in events:
            if isinstance(event, Step):
                progress.update(
                    task,
                    completed=event.done,
                    total=max(event.found, 1) if event.walked else None,
                    description="Adding" if event.walked else "Looking",
                )
            elif isinstance(event, Problem) or (isinstance(event, Failed) and not quiet):
                output.err.print(f"[yellow]{output.path_text(event.path)}:[/] {output.safe(event.reason)}")
            elif isinstance(event, Finished):
                report = event.report
    return report


def summary(report: Report) -> None:
    """What a run did, for people."""
    parts = [
        (report.added, "added", "added"),
        (report.copies, "copy of a known picture", "copies of known pictures"),
        (report.moved, "moved", "moved"),
        (report.replaced, "replaced", "replaced"),
        (report.unchanged, "unchanged", "unchanged"),
        (report.skipped, "is no picture", "are no pictures"),
        (len(report.failed), "failed", "failed"),
        (report.missing, "missing", "missing"),
    ]
    told = ", ".join(output.number(*part) for part in parts if part[0])
    found = output.number(report.found, "file")
    output.out.print(f"{found} in {report.seconds:,.1f} s{': ' if told else ''}{told}.")
    if report.failed:
        output.out.print("[dim]'imager jobs --failed' says what failed and why.[/]")
