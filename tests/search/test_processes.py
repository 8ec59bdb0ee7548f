"""Two processes add while a third searches: nothing is torn, and nothing that was committed is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imager.library import Library
from tests.pictures import jpeg

EACH = 40
ADD = "import sys; sys.argv[0] = 'imager'; from imager.cli import main; main()"


@pytest.mark.timeout(180)
def test_what_two_processes_add_is_whole_and_found_at_once_by_a_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGER_CONFIG", str(tmp_path / "configuration"))
    for n in range(2 * EACH):
        folder = tmp_path / f"photos {n % 2}"
        folder.mkdir(exist_ok=True)
        (folder / f"{n}.jpg").write_bytes(
            jpeg(n, taken=f"20{n % 20:02}:07:04 15:30:00", make="Acme", model=f"M{n % 3}")
        )
    with Library.open(tmp_path / "library") as library:
        assert library.search("").total == 0
        adding = [
            subprocess.Popen(
                [sys.executable, "-c", ADD, "-L", str(library.folder), "add", str(tmp_path / f"photos {n}")],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, "PYTHONWARNINGS": "default"},
            )
            for n in range(2)
        ]
        seen = {0}
        before = 0
        while any(process.poll() is None for process in adding) or max(seen) < 2 * EACH:
            committed = library.catalog.db.execute("SELECT count(*) FROM assets WHERE state = 'present'").get
            page = library.search("acme", limit=1_000)
            assert page.total >= committed, "stale: what another process has committed is found by the next search"
            assert page.total >= before, "pictures that were found are found again"
            assert len(page.hits) == page.total == len({hit.id for hit in page.hits})
            assert all(hit.path and hit.width for hit in page.hits), "whole: with their files and sizes"
            for facet in ("cameras", "years"):
                assert sum(value["count"] for value in page.facets[facet]) == page.total
            before = page.total
            seen.add(page.total)
            if all(process.poll() is not None for process in adding) and page.total < 2 * EACH:
                pytest.fail(f"{page.total} pictures; " + "".join(p.stderr.read().decode() for p in adding if p.stderr))
        assert [process.wait() for process in adding] == [0, 0]
        for process in adding:
            if process.stderr:
                process.stderr.close()
        assert max(seen) == 2 * EACH
        assert library.doctor().ok
