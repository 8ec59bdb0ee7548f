"""Every command and everything that it takes is explained, and every command can speak to programs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

import imager as package
from imager.cli import (  # noqa: F401 - they register
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
from imager.cli.main import app
from tests.cli.program import Program

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_the_commands_of_the_contract_are_there() -> None:
    contract = "add search show tag rate caption title undo history doctor jobs demo"
    assert set(COMMANDS) >= set(contract.split())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_explained_with_all_that_it_takes(name: str, imager: Program) -> None:
    command = COMMANDS[name]
    assert command.help and command.help.strip().endswith((".", ")"))
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name}"
    assert "--json" in [option for parameter in command.params for option in parameter.opts]
    done = imager(name, "--help")
    assert done.status == 0
    assert command.help.split(".")[0].split("\n")[0][:40] in " ".join(done.out.split())


def test_without_a_command_the_help_is_shown(imager: Program) -> None:
    for words in ((), ("--help",), ("-h",)):
        done = imager(*words, library=False)
        assert all(name in done.out + done.err for name in COMMANDS)


def test_the_version_is_told(imager: Program) -> None:
    assert imager("--version", library=False).out == f"imager {package.__version__}\n"


def test_commands_that_only_look_do_not_wait_for_decoders_to_be_imported() -> None:
    program = (
        "import sys\n"
        "from imager.cli import albums, browse, edit, export, ingest, members, serve, timeline, upkeep, watch\n"
        "from imager.library import Library\n"
        "heavy = {'cv2', 'numpy', 'PIL', 'pyvips', 'psutil', 'tzfpy', 'rich.progress', 'imager.ingest.run',\n"
        " 'fastapi', 'pydantic', 'argon2', 'uvicorn', 'imager.server'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
