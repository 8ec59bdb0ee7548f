"""No statement that runs per file, per edit or per search reads a whole table: each one's plan is looked at.

Every constant of the catalog and of search that holds SQL must be classified here, so that a new one is not forgotten.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import apsw
import pytest

from imager.access import rules as access_rules
from imager.catalog import (
    Catalog,
    changes,
    contents,
    edits,
    exchange,
    files,
    inputs,
    joins,
    materialise,
    numbers,
    read,
    words,
)
from imager.catalog import (
    albums as catalog_albums,
)
from imager.catalog import (
    catalog as catalog_module,
)
from imager.catalog.exchange import mend_clock, take
from imager.organise import albums as organise_albums
from tests.catalog.libraries import Devices, content, edit, put, say, tag

MODULES = [
    access_rules,
    catalog_albums,
    catalog_module,
    organise_albums,
    changes,
    contents,
    edits,
    exchange,
    files,
    inputs,
    joins,
    materialise,
    numbers,
    read,
    words,
]

WHOLE = {
    # What reads a whole table, and why it may. Everything else must not.
    "albums._ASIDE": {"what is in the trash or missing: its partial index": ["a"]},
    "albums._COUNTED": {"counts everything, as asked": ["x"]},
    "albums._CUT": {"albums that were nested in circles: their own partial index": ["albums"]},
    "files._FAILED": {"reads only the files that failed: their own partial index": ["f"]},
    "joins._ANY": {"looks at the first entry of a partial index": ["edits"]},
    "numbers._TOUCH_TAGGED": {"a tag was used before its name was known, hardly ever": ["asset_tags"]},
    "numbers._UNUSED_TAGS": {"only when a picture is erased": ["asset_tags"]},
    "numbers._UNUSED_PLACE": {"only when a picture is erased": ["assets"]},
    "rules._GRANTS": {"lists everything, as asked": ["g"]},
    "rules._OTHER_OWNERS": {"when a role is given or taken; members are few": ["g"]},
}

RECURSIVE = ("spoken", "live", "reached", "chain", "c", "o")
"""What is made row by row, and as many times as it has rows."""

_VIRTUAL = re.compile(r"VIRTUAL TABLE")


def _statements() -> dict[str, str]:
    found: dict[str, str] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, str):
                _add(found, module, name, value)
            elif isinstance(value, dict):
                for key, part in value.items():
                    if isinstance(part, str):
                        _add(found, module, f"{name}.{key}", part)
    return found


def _add(found: dict[str, str], module: ModuleType, name: str, sql: str) -> None:
    of = "FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"
    sql = sql.replace("{of}", of).replace("{source}", of.removeprefix("FROM "))
    if re.match(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\s", sql):
        found[f"{module.__name__.rpartition('.')[2]}.{name}"] = sql


STATEMENTS = _statements()


def _plan(db: apsw.Connection, sql: str) -> list[str]:
    """The steps of a plan, without those of virtual tables, which have their own ways to find."""
    names = set(re.findall(r":(\w+)", sql))
    bindings: Any = dict.fromkeys(names) if names else (None,) * _count(sql)
    return [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + sql, bindings) if not _VIRTUAL.search(row[3])]


def _count(sql: str) -> int:
    numbered = [int(n) for n in re.findall(r"\?(\d+)", sql)]
    return max(numbered) if numbered else sql.count("?")


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_no_statement_reads_a_whole_table_unless_it_says_why(catalog: Catalog, name: str) -> None:
    allowed = {table for tables in WHOLE.get(name, {}).values() for table in tables}
    scanned = set()
    for step in _plan(catalog.db, STATEMENTS[name]):
        if match := re.match(r"SCAN (\w+)", step):
            scanned.add(match[1])
        assert "AUTOMATIC" not in step, f"an index is made for this statement alone: {step}"
    scanned -= {"CONSTANT", "wanted", "library", *RECURSIVE}
    assert scanned <= allowed, _plan(catalog.db, STATEMENTS[name])
    assert allowed <= scanned, "what is allowed happens no more"


def test_no_statement_that_work_runs_reads_a_whole_table(catalog: Catalog, devices: Devices) -> None:
    """Those without a name too: whatever is executed while people and ingest work is looked at."""
    ran: set[str] = set()

    def note(_cursor: object, sql: str, _bindings: object) -> bool:
        ran.add(sql)
        return True

    catalog.db.set_exec_trace(note)
    ids = put(catalog, *(content(n, keywords=("all", f"k{n}"), latitude=-1.0, longitude=1.0) for n in range(4)))
    batch = say(catalog, ids[0], "title", "said")
    say(catalog, min(ids[:2]), "same_as", 1, max(ids[:2]).hex())
    say(catalog, ids[0], "tag", 1, tag("all"))
    say(catalog, bytes(15) + b"\1", "album.name", "Album")
    say(catalog, ids[3], "album", 1, (bytes(15) + b"\1").hex())
    catalog.undo()
    catalog.undo(batch)
    catalog.index()
    mend_clock(catalog)
    take(catalog, [edit(ids[2], "title", "theirs", at=5)])
    number = catalog.resolve(ids[0])
    assert number is not None
    read.describe(catalog, number)
    read.history(catalog, number)
    for path in (b"/photos", b"/photos/x.jpg"):
        catalog.files.at(path)
        catalog.files.below(path)
    catalog.db.set_exec_trace(None)
    assert len(ran) > 50
    plain = [sql for sql in ran if re.match(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\s", sql)]
    whole = {}
    small = "|".join(["CONSTANT", "wanted", "library", *RECURSIVE])
    for sql in sorted(plain):
        steps = [step for step in _plan(catalog.db, sql) if re.match(rf"SCAN (?!{small})", step)]
        if steps and sql not in FIRST_ROW:
            whole[sql] = steps
    assert not whole


FIRST_ROW = {
    catalog_albums._CUT,
    "SELECT 1 FROM edits LIMIT 1",
    joins._ANY,
    "SELECT count(*) FROM assets WHERE state = 'present'",
}
"""Only ask for what a partial index holds, whether there is anything, or how much of everything (an index read
through: 10 ms a million)."""


def test_the_exceptions_are_statements_that_exist() -> None:
    assert set(WHOLE) <= set(STATEMENTS)
