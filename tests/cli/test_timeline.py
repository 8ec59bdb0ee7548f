"""imager timeline and imager map, and the same from Python."""

from __future__ import annotations

import pytest

from imager.library import Library
from imager.search.chunks import Chunk, Gone
from imager.search.skeleton import Skeleton
from tests.cli.program import Program
from tests.pictures import jpeg


def _add(imager: Program, *dates: str, description: str = "harbour") -> None:
    for date in dates:
        imager.write(
            f"{date}.jpg",
            jpeg(int(date.replace("-", "")), taken=f"{date.replace('-', ':')} 10:00:00", description=description),
        )
    imager.json("add", "photos")


def test_a_timeline_counts_by_month_day_and_year(imager: Program) -> None:
    _add(imager, "2021-08-14", "2021-08-15", "2020-01-01")
    _add(imager, "2019-05-05", description="mountain")
    assert imager.json("timeline") == {
        "by": "month",
        "total": 4,
        "counts": [
            {"month": "2021-08", "count": 2},
            {"month": "2020-01", "count": 1},
            {"month": "2019-05", "count": 1},
        ],
    }
    assert [row["year"] for row in imager.json("timeline", "--by", "year")["counts"]] == ["2021", "2020", "2019"]
    days = imager.json("timeline", "--by", "day", "harbour")["counts"]
    assert [row["day"] for row in days] == ["2021-08-15", "2021-08-14", "2020-01-01"]
    assert imager.json("timeline", "nothing-has-this-word") == {"by": "month", "total": 0, "counts": []}


def test_people_see_a_bar_for_each_month(imager: Program) -> None:
    _add(imager, "2021-08-14", "2021-08-15", "2020-01-01")
    first, second, total = imager("timeline").out.splitlines()
    assert (first[:12], second[:12], total) == ("2021-08  2  ", "2020-01  1  ", "3 pictures")
    assert len(first) - 12 == 2 * (len(second) - 12)
    assert imager.fails("timeline", "--by", "week", status=2)


def test_a_map_counts_where_pictures_were_taken(imager: Program) -> None:
    _add(imager, "2021-08-14", "2021-08-15", "2020-01-01")
    for name, position in (("2021-08-14", "38.71,-9.14"), ("2021-08-15", "38.72,-9.15"), ("2020-01-01", "-33.9,18.4")):
        imager.json("set", f"photos/{name}.jpg", "position", position)
    found = imager.json("map")
    assert (found["zoom"], found["total"], [c["count"] for c in found["clusters"]]) == (4, 3, [2, 1])
    assert found["clusters"][0]["asset"] == imager.json("show", "photos/2021-08-15.jpg")["id"]
    assert imager.json("map", "--box=-40,0,-30,30", "--zoom", "9")["total"] == 1
    assert imager.json("map", "2020-01-01")["total"] == 1
    told = imager("map").out.splitlines()
    assert told[0].split()[:5] == ["2", "38.72°", "N", "9.14°", "W"] or told[0].split()[1] == "38.71°"
    assert "Portugal" in told[0]
    assert told[-1] == "3 pictures in 2 clusters"
    assert "not a box" in imager.fails("map", "--box=1,2,3", status=2)
    assert "box" in imager.fails("map", "--box=9,0,1,0", status=2)


def test_a_library_gives_pages_skeleton_and_chunks_of_any_query(imager: Program) -> None:
    _add(imager, "2021-08-14", "2021-08-15", "2020-01-01")
    _add(imager, "2021-08-16", description="mountain")
    with Library.open(imager.library) as library:
        page = library.timeline("harbour", limit=2)
        assert [row.taken for row in page.rows] == sorted((row.taken for row in page.rows), reverse=True)
        assert [len(library.timeline("harbour", after=page.older).rows), page.newer] == [1, None]
        assert library.timeline(at="aug 2021").rows[0].id == library.timeline().rows[0].id
        assert len(library.timeline(at="2020").rows) == 1
        months = Skeleton.read(library.skeleton("harbour")).months
        assert [(m.month, m.count) for m in months] == [("2021-08", 2), ("2020-01", 1)]
        found = library.chunk("2021-08", 0, months[0].version, "harbour")
        assert isinstance(found, Chunk)
        assert [i.hex() for i in found.ids] == [row.id.replace("-", "") for row in page.rows]
        whole = Skeleton.read(library.skeleton()).months[0]
        assert library.chunk("2021-08", 0, months[0].version) == Gone(whole.version)
        assert library.versions("harbour") == months
        assert [y.count for y in library.years()] == [3, 1]


def test_a_query_asked_again_sees_what_was_said_meanwhile(imager: Program) -> None:
    _add(imager, "2021-08-14", "2021-08-15")
    with Library.open(imager.library) as library, Library.open(imager.library) as other:
        assert library.timeline("rating:5").rows == library.timeline("rating:5").rows == []
        library.set("photos/2021-08-14.jpg", "rating", 5)
        assert [d.day for d in library.days("rating:5")] == ["2021-08-14"]
        other.set("photos/2021-08-15.jpg", "rating", 5)
        assert [d.day for d in library.days("rating:5")] == ["2021-08-15", "2021-08-14"]
        for n in range(9):  # more queries than are kept in mind
            library.years(f"rating:>={n % 6}")
        other.undo()
        assert [d.day for d in library.days("rating:5")] == ["2021-08-14"]


def test_private_pictures_of_others_are_in_no_timeline(imager: Program) -> None:
    _add(imager, "2021-08-14", "2021-08-15")
    with Library.open(imager.library) as library:
        db = library.catalog.db
        db.execute("UPDATE library SET changes = changes + 1")
        db.execute(
            "UPDATE assets SET private = 'somebody', changed = (SELECT changes FROM library) "
            "WHERE taken_at = (SELECT max(taken_at) FROM assets)"
        )
        assert [d.day for d in library.days()] == ["2021-08-14"]
        assert [d.day for d in library.days("harbour")] == ["2021-08-14"]
        assert len(library.timeline().rows) == len(Skeleton.read(library.skeleton()).ratios) == 1


@pytest.mark.parametrize("command", ["timeline", "map"])
def test_an_empty_library_has_nothing_to_show(imager: Program, command: str) -> None:
    empty = imager.folder / "empty"
    empty.mkdir()
    imager.json("add", str(empty))
    assert imager.json(command)["total"] == 0
    assert imager(command).out.startswith("0 pictures")


def test_a_short_span_is_counted_by_day_of_itself(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1, taken="2021:07:04 15:30:00"))
    imager.write("b.jpg", jpeg(2, taken="2021:07:09 15:30:00"))
    imager.json("add", str(imager.photos))
    counted = imager.json("timeline", "--by", "auto")
    assert (counted["by"], [row["day"] for row in counted["counts"]]) == ("day", ["2021-07-09", "2021-07-04"])
    imager.write("c.jpg", jpeg(3, taken="1961:07:09 15:30:00"))
    imager.json("add", str(imager.photos))
    assert imager.json("timeline", "--by", "auto")["by"] == "year"
