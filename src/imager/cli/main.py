"""The program `imager`: global options, and the one place where errors become text and an exit status."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

import imager
from imager.cli import output
from imager.errors import ImagerError

app = typer.Typer(
    name="imager",
    help="The image library: every picture you own, findable in your own words.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(slots=True)
class Settings:
    """What was said before the command."""

    library: str | None = None


settings = Settings()


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"imager {imager.__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", "-L", metavar="DIR", envvar="IMAGER_LIBRARY", help="Folder of the library.", show_default=False
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """The image library: every picture you own, findable in your own words."""
    settings.library = os.fspath(library) if library is not None else None


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # Names need not be UTF-8; what a terminal can't show must not end a command.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        from imager.cli import (  # noqa: F401 - each registers its commands on `app`
            albums,
            browse,
            edit,
            export,
            ingest,
            members,
            serve,
            timeline,
            upkeep,
            watch,
        )

        # What is loaded stays, and what a command makes has hardly any cycles: a run over many files would spend a
        # tenth of its time looking for some.
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        app()
    except ImagerError as problem:
        output.error(str(problem))
        sys.exit(problem.status)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != 130:  # as which typer passes Ctrl-C on
            raise
        output.error("Interrupted. What was done is kept; the same command goes on from here.")
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain at exit.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as problem:
        named = f"{os.fsdecode(problem.filename)}: " if isinstance(problem.filename, str | bytes) else ""
        output.error(f"{named}{problem.strerror or problem}.")
        sys.exit(1)
    except Exception as problem:
        if os.environ.get("IMAGER_DEBUG"):
            raise
        output.error(
            f"This is a fault of Imager itself ({type(problem).__name__}: {problem}). Nothing was lost. "
            "With IMAGER_DEBUG=1 in the environment the same command tells more, for a report."
        )
        sys.exit(1)
