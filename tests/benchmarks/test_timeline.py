"""The benchmark of the timeline asks for what it says, of a library that its maker made."""

from __future__ import annotations

from pathlib import Path

from benchmarks.make_library import fill
from benchmarks.timeline import measure, tasks
from imager.library import Library


def test_each_task_is_measured_of_everything_and_of_a_query(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        fill(library.catalog, 300, 1, quiet=True)
        rows = measure(library, 2, 1, "rating:>=3")
        assert [row["task"] for row in rows] == [task.name for task in tasks(library)]
        for row in rows:
            assert row["sql"] > 0
            assert all(0 < row[name]["p50"] <= row[name]["p95"] for name in ("all", "query"))
