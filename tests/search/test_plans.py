"""Statements of searches start from the few pictures that are asked for; what reads a whole table says why.

Those that make the index anew (`build._ALL…`, harvest.py) read everything, once, on purpose.
"""

from __future__ import annotations

import re

import pytest

from imager.catalog import Catalog
from imager.search import hits, index, lineage, phrases, rank, statistics, stored, vocabulary
from tests.catalog.test_plans import _plan

MODULES = (hits, index, lineage, phrases, rank, statistics, stored, vocabulary)
WHOLE = {
    "index._SAID_TAGS": {"tags"},  # names that people gave: they touch no picture when they change
    "statistics._FAILED": {"files"},  # its partial index alone
    "vocabulary._HELD": {"album_assets"},  # counts of all albums, while one types the name of one
}
MADE = {"CONSTANT", "wanted", "library", "live", "spoken"}

STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": sql
    for module in MODULES
    for name, sql in vars(module).items()
    if isinstance(sql, str) and re.match(r"\s*(WITH|SELECT)\s", sql) and "{" not in sql
}


def test_there_are_statements_to_look_at() -> None:
    assert len(STATEMENTS) > 12
    assert set(WHOLE) <= set(STATEMENTS)


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_of_a_search_reads_a_whole_table_unless_it_says_why(catalog: Catalog, name: str) -> None:
    steps = _plan(catalog.db, STATEMENTS[name])
    scanned = {match[1] for step in steps if (match := re.match(r"SCAN (\w+)", step))} - MADE
    assert scanned == WHOLE.get(name, set()), steps
