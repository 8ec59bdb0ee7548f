"""`docs/search.md` is true: each of its examples is read as it says, and nothing that there is goes unmentioned."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from imager.query import keys, values
from imager.query.codec import HAS, MATCHES, MEASURES, NAMED, SHAPES, STATES, condition_to_json, from_json, to_json
from imager.query.error import QueryError
from imager.query.model import COLOURS, SORTS, TEXT_FIELDS, Query
from imager.query.text import parse
from imager.query.vocabulary import Located, Vocabulary

DOCUMENT = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
FRIDAY = datetime(2024, 5, 17, 12, 0)


class Library(Vocabulary):
    def locate(self, name: str) -> Located | None:
        return Located(48.8566, 2.3522, "Paris") if name == "Paris" else None


def where(text: str) -> Any:
    return condition_to_json(parse(text, Library(), now=FRIDAY).query.where)


def blocks(kind: str) -> list[tuple[str, list[str]]]:
    """The examples of such blocks, each with the lines that begin with an arrow below it."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(rf"^```{kind}\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("→ "):
                found[-1][1].append(line[2:])
            else:
                found.append((line, []))
    assert found
    return found


def rows(section: str) -> list[list[list[str]]]:
    """The rows of the table in a section: of each cell, what stands in it as code."""
    body = DOCUMENT.split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")][2:]
    assert lines
    return [
        [
            [code.replace("\\|", "|") for code in re.findall(r"`([^`]+)`", cell)]
            for cell in re.split(r"(?<!\\)\|", line.strip("|"))
        ]
        for line in lines
    ]


@pytest.mark.parametrize(("text", "lines"), blocks("search"))
def test_examples_are_read_as_the_document_says(text: str, lines: list[str]) -> None:
    (expected,) = lines
    assert where(text) == json.loads(expected)


@pytest.mark.parametrize(
    ("text", "expected"), [(text, cells[1][0]) for cells in rows("What is understood") for text in cells[0]]
)
def test_natural_words_mean_what_the_document_says(text: str, expected: str) -> None:
    assert where(text) == json.loads(expected)


@pytest.mark.parametrize("cells", rows("Keys"), ids=lambda cells: cells[0][0])
def test_the_examples_of_a_key_are_read(cells: list[list[str]]) -> None:
    (key,) = cells[0]
    assert keys.canonical(key) == key
    for text in cells[1]:
        found = parse(text, Library(), now=FRIDAY)
        assert len(found.chips) == 1
        assert found.chips[0].kind != "word" or key == "text"
        assert (found.chips[0].start, found.chips[0].end) == (0, len(text))
    for text in (text for text in cells[2] if ":" in text):
        assert parse(text, Library(), now=FRIDAY).chips


def test_every_key_is_in_the_table() -> None:
    assert {cells[0][0] for cells in rows("Keys")} == set(keys.SYNONYMS)
    assert all(f"`{key}:`" in DOCUMENT for key in keys.TEXT_KEYS if key not in ("text.title", "text.caption"))


def test_every_value_that_is_to_be_chosen_is_mentioned() -> None:
    for choices in (values.CHOICES["orientation"], values.CHOICES["state"], values.CHOICES["sort"], COLOURS):
        for choice in choices:
            assert re.search(rf"\b{choice}\b", DOCUMENT), choice


@pytest.mark.parametrize(("text", "lines"), blocks("mistake"))
def test_mistakes_are_told_as_the_document_says(text: str, lines: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        where(text)
    assert [caught.value.reason] == lines


@pytest.mark.parametrize(("text", "lines"), blocks("chips"))
def test_chips_are_those_of_the_document(text: str, lines: list[str]) -> None:
    chips = parse(text, now=FRIDAY).chips
    assert [f'{chip.kind} "{chip.text}" for {text[chip.start : chip.end]}' for chip in chips] == lines


@pytest.mark.parametrize("condition", [code for cells in rows("As JSON") for code in cells[0]])
def test_conditions_of_the_document_are_conditions(condition: str) -> None:
    query = from_json({"version": 1, "where": json.loads(condition), "sort": "newest"})
    assert isinstance(query, Query)
    assert to_json(query)["where"].keys() >= json.loads(condition).keys() - {"match", "share"}


def test_every_kind_and_every_choice_of_the_json_is_mentioned() -> None:
    section = DOCUMENT.split("\n## As JSON\n")[1]
    for choice in (*MATCHES, *TEXT_FIELDS, *NAMED, *MEASURES, *SHAPES, *STATES, *HAS, *SORTS, *COLOURS):
        assert re.search(rf"\b{choice}\b", section), choice


def test_the_python_in_the_document_runs() -> None:
    found = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found
    for code in found:
        exec(compile(code, "docs/search.md", "exec"), {})
