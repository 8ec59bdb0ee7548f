"""Comparing a folder with what is known of it: nothing is read but what has to be."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from imager.catalog.files import FileRow
from imager.ingest.examine import READER
from imager.ingest.plan import Plan, is_sidecar, plan_folder
from imager.ingest.walk import Entry

ENTRY = Entry(b"a.jpg", 100, 2_000, 3_000, 4)


def _row(entry: Entry = ENTRY, state: str = "present", **changes: Any) -> FileRow:
    row = FileRow(entry.name, state, 7, entry.size, entry.modified, entry.changed, entry.inode, READER)
    return row._replace(**changes)


def _plan(entries: list[Entry], rows: list[FileRow], **options: Any) -> Plan:
    known = {row.name: row for row in rows}
    options.setdefault("partial", False)
    return plan_folder(1, b"/p", entries, known, separator=b"/", **options)


def test_a_file_that_is_as_it_was_is_unchanged() -> None:
    plan = _plan([ENTRY], [_row()])
    assert (plan.unchanged, plan.tasks, plan.gone) == (1, [], [])


def test_any_difference_that_stat_shows_has_the_file_read() -> None:
    for field in ("bytes", "modified", "changed", "inode"):
        changes: dict[str, Any] = {field: 1}
        plan = _plan([ENTRY], [_row(**changes)])
        assert [t.path for t in plan.tasks] == [b"/p/a.jpg"], field


def test_what_was_away_is_read_when_it_is_back() -> None:
    for state in ("missing", "offline"):
        assert len(_plan([ENTRY], [_row(state=state)]).tasks) == 1
        assert _plan([], [_row(state=state)]).gone == []


def test_known_failures_are_unchanged_and_known_others_skipped_until_more_can_be_read() -> None:
    assert _plan([ENTRY], [_row(state="failed")]).unchanged == 1
    assert _plan([ENTRY], [_row(state="skipped")]).skipped == 1
    for state in ("failed", "skipped"):
        assert len(_plan([ENTRY], [_row(state=state, reader=READER - 1)]).tasks) == 1


def test_sidecars_are_apart_and_never_counted() -> None:
    entries = [ENTRY._replace(name=name) for name in (b"a.xmp", b"b.jpg.XMP")]
    plan = _plan(entries, [])
    assert ([t.name for t in plan.sidecars], plan.tasks, plan.unchanged) == ([b"a.xmp", b"b.jpg.XMP"], [], 0)
    for state in ("sidecar", "failed"):
        plan = _plan(entries, [_row(e, state) for e in entries])
        assert (plan.sidecars, plan.tasks, plan.unchanged, plan.skipped) == ([], [], 0, 0)
    assert is_sidecar(b".xmp") and not is_sidecar(b"xmp")


def test_what_people_named_is_read_in_any_case_and_says_nothing_of_others() -> None:
    other = ENTRY._replace(name=b"b.jpg")
    plan = _plan([ENTRY], [_row(), _row(other)], partial=True, named={b"a.jpg"})
    assert ([(t.name, t.named) for t in plan.tasks], plan.gone) == ([(b"a.jpg", True)], [])


def test_paths_at_the_top_have_one_separator() -> None:
    plan = plan_folder(1, b"/", [ENTRY], {}, partial=False, separator=b"/")
    assert plan.tasks[0].path == b"/a.jpg"


@given(
    st.dictionaries(st.sampled_from([b"a", b"b", b"c.xmp", b"d"]), st.integers(0, 1)),
    st.dictionaries(
        st.sampled_from([b"a", b"b", b"c.xmp", b"d"]),
        st.tuples(
            st.sampled_from(["present", "missing", "offline", "failed", "skipped", "sidecar"]), st.integers(0, 1)
        ),
    ),
)
def test_every_entry_and_every_known_name_has_exactly_one_fate(
    here: dict[bytes, int], before: dict[bytes, tuple[str, int]]
) -> None:
    entries = [Entry(name, size, 1, 1, 1) for name, size in here.items()]
    rows = [_row(Entry(name, size, 1, 1, 1), state) for name, (state, size) in before.items()]
    plan = _plan(entries, rows)
    pictures = sum(not is_sidecar(e.name) for e in entries)
    read = {t.name for t in (*plan.tasks, *plan.sidecars)}
    quiet = [e for e in entries if e.name not in read]
    assert len(plan.tasks) + plan.unchanged + plan.skipped >= pictures
    assert plan.unchanged + plan.skipped <= len(quiet)
    assert read <= set(here)
    assert {row.name for row in plan.gone} == {
        name for name, (state, _) in before.items() if name not in here and state not in ("missing", "offline")
    }
