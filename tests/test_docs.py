"""The documents are true: commands exist, links lead somewhere, every command is spoken of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from imager.cli import albums, browse, edit, export, ingest, members, serve, timeline, upkeep, watch
from imager.cli.main import app

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]
MODULES = (
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
)  # importing them registers their commands
COMMANDS = set(typer.main.get_group(app).list_commands(None))  # type: ignore[arg-type]


def _spoken_of(text: str) -> set[str]:
    """Commands in console blocks and in inline code."""
    return set(re.findall(r"(?:^\$ |`|')imager (?:--library \S+ )?([a-z]+)\b", text, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_in_the_documents_exists(document: Path) -> None:
    assert _spoken_of(document.read_text(encoding="utf-8")) <= COMMANDS


def test_every_command_is_spoken_of_in_the_readme_or_a_document() -> None:
    spoken = set().union(*(_spoken_of(document.read_text(encoding="utf-8")) for document in DOCUMENTS))
    assert spoken >= COMMANDS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target
