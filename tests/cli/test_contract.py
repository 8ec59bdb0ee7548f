"""The contract for scripts: what each command prints with --json, and with which exit status it ends."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from pathlib import Path

import pytest

from tests.cli.program import Program
from tests.pictures import jpeg, sidecar

ADD = {"found", "added", "copies", "unchanged", "moved", "replaced", "missing", "skipped", "failed", "seconds"}
SEARCH = {"total", "chips", "facets", "hits", "next"}
SHOW = {
    *("id", "sha256", "kind", "mime", "files", "width", "height", "duration", "orientation"),
    *("taken_at", "taken_at_utc", "taken_at_source", "taken_at_confidence", "time_zone"),
    *("latitude", "longitude", "place", "make", "model", "lens", "iso", "f_number", "exposure_time", "focal_length"),
    *("rating", "title", "description", "caption", "tags", "people", "colours", "prompt", "metadata"),
}


def test_add_reports_and_fails_only_when_nothing_could_be_done(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.write("deep/b.jpg", jpeg(2))
    bad = imager.write("bad.jpg", b"no picture")
    report = imager.json("add", str(imager.photos))
    assert set(report) == ADD
    assert (report["found"], report["added"]) == (3, 2)
    assert report["failed"] == [{"path": bad, "stage": "identify", "reason": report["failed"][0]["reason"]}]
    again = imager.json("add", str(imager.photos), "--workers", "1", "--until", "indexed")
    assert (again["unchanged"], again["failed"]) == (3, [])
    assert imager.json("add", bad, status=1)["failed"][0]["path"] == bad
    assert imager.json("add", bad, str(imager.photos / "a.jpg"))["unchanged"] == 1
    empty = imager.folder / "empty"
    empty.mkdir()
    assert imager.json("add", str(empty))["found"] == 0


def test_search_pages_through_everything_newest_first(imager: Program) -> None:
    for n in range(5):
        imager.write(f"{n}.jpg", jpeg(n, taken=f"202{n}:01:01 10:00:00", description=f"number{n} harbour"))
    imager.json("add", "photos")
    page = imager.json("search", "--limit", "2")
    assert set(page) == SEARCH
    assert (page["total"], len(page["hits"])) == (5, 2)
    assert all(set(hit) >= {"id", "path", "score", "why"} for hit in page["hits"])
    names = [os.path.basename(hit["path"]) for hit in page["hits"]]
    while page["next"]:
        page = imager.json("search", "", "--limit", "2", "--after", page["next"])
        names += [os.path.basename(hit["path"]) for hit in page["hits"]]
    assert names == ["4.jpg", "3.jpg", "2.jpg", "1.jpg", "0.jpg"]
    assert imager.json("search", "harbour", "number3")["total"] == 1
    assert imager.json("search", "harbour number3")["hits"][0]["why"][0]["words"] == ["harbour", "number3"]
    assert imager.json("search", "--", "harbour", "-number3")["total"] == 4
    assert imager.json("search", "nothing-has-this-word")["hits"] == []


def test_show_tells_everything_by_id_and_by_path(imager: Program) -> None:
    data = jpeg(1, taken="2021:07:04 15:30:00", make="Acme", model="One", description="A harbour")
    path = imager.write("a.jpg", data)
    imager.write("a.xmp", sidecar(rating=3, title="Harbour", tags=("Sea",)))
    imager.json("add", str(imager.photos))
    known = imager.json("show", path)
    assert set(known) >= SHOW
    digest = hashlib.sha256(data).digest()
    own = bytearray(digest[:16])
    own[6], own[8] = own[6] & 0x0F | 0x80, own[8] & 0x3F | 0x80
    assert (known["sha256"], known["id"]) == (digest.hex(), str(uuid.UUID(bytes=bytes(own))))
    assert (known["width"], known["height"], known["mime"]) == (64, 48, "image/jpeg")
    assert (known["taken_at"], known["model"], known["rating"]) == ("2021-07-04T15:30:00", "One", 3)
    assert known["tags"] == [{"name": "Sea", "source": "sidecar"}]
    assert known["latitude"] is known["lens"] is known["prompt"] is None
    by_id = [imager.json("show", known["id"]), imager.json("show", known["id"].replace("-", "").upper())]
    by_path = [imager.json("show", "photos/a.jpg"), imager.json("show", "./photos/../photos/a.jpg")]
    assert all(other == known for other in by_id + by_path)


def test_edits_can_be_said_listed_and_undone(imager: Program) -> None:
    path = imager.write("a.jpg", jpeg(1, description="From the file"))
    imager.json("add", path)
    batches = [
        imager.json(*words)["batch"]
        for words in (
            ("tag", path, "Family", "Animals|Dogs"),
            ("untag", path, "Family"),
            ("rate", path, "4"),
            ("title", path, "A title"),
            ("caption", path, "A caption"),
            ("set", path, "taken_at", "2020-01-02T03:04:05"),
            ("set", path, "position", "-33.86,151.21"),
            ("set", path, "position", "43.77,11.25"),
        )
    ]
    assert len(set(batches)) == len(batches)
    known = imager.json("show", path)
    assert [t["name"] for t in known["tags"]] == ["Animals|Dogs"]
    assert (known["rating"], known["title"], known["caption"]) == (4, "A title", "A caption")
    assert (known["taken_at"], known["time_zone"]) == ("2020-01-02T03:04:05+01:00", "Europe/Rome")
    assert imager.json("search", "florence")["total"] == 1

    assert imager.json("rate", path, "-1")
    assert imager.json("show", path)["rating"] == -1
    imager.json("undo")
    assert imager.json("show", path)["rating"] == 4
    undone = imager.json("undo", batches[4])["undone"]
    assert imager.json("show", path)["caption"] == "From the file"
    history = imager.json("history", path)["history"]
    by_field = {said["field"]: said for said in reversed(history)}
    assert by_field["caption"]["undone"] is True
    assert imager.json("undo", by_field["caption"]["undone_by"])
    assert imager.json("show", path)["caption"] == "A caption"
    assert undone
    imager.json("unset", path, "title")
    assert imager.json("show", path)["title"] is None


def test_trash_join_separate_forget_and_erase(imager: Program) -> None:
    one, other = imager.write("a.jpg", jpeg(1)), imager.write("b.jpg", jpeg(2))
    imager.json("add", "photos")
    imager.json("trash", one)
    assert imager.json("search")["total"] == 1
    assert imager.json("show", one)["state"] == "trashed"
    imager.json("restore", one)
    assert imager.json("search")["total"] == 2

    imager.json("join", one, other)
    assert imager.json("search")["total"] == 1
    assert imager.json("show", one) == imager.json("show", other)
    assert len(imager.json("show", one)["versions"]) == 2
    imager.json("separate", one)
    assert imager.json("search")["total"] == 2

    os.remove(other)
    assert imager.json("add", "photos")["missing"] == 1
    assert imager.json("forget", other) == {"forgotten": 1}
    assert "b.jpg" in imager.fails("show", other)

    imager.json("rate", one, "5")
    known = imager.json("show", one)
    assert imager.json("erase", one, "--yes") == {"erased": known["id"]}
    assert os.path.exists(one)
    assert imager.json("search")["total"] == 0
    imager.fails("show", known["id"])
    for _ in range(2):
        assert imager.json("add", "photos")["skipped"] == 1
    assert imager.json("jobs")["failed"] == []
    # Naming the file brings it back, and nothing of what was said.
    assert imager.json("add", one)["added"] == 1
    back = imager.json("show", one)
    assert (back["id"], back["rating"]) == (known["id"], None)
    assert all(said["erased"] or said["field"] == "purged" for said in imager.json("history", one)["history"])
    assert imager.json("add", "photos")["unchanged"] == 1
    assert imager.json("doctor") == {"ok": True, "problems": [], "repaired": []}


def test_what_was_erased_stays_so_under_another_name_and_over_another_picture(imager: Program) -> None:
    one, other = imager.write("a.jpg", jpeg(1)), imager.write("b.jpg", jpeg(2))
    imager.json("add", "photos")
    imager.json("erase", one, "--yes")
    imager.write("b.jpg", jpeg(1))
    os.rename(one, imager.photos / "c.jpg")
    known = imager.json("search")["hits"][0]["id"]
    assert imager.json("add", "photos")["skipped"] == 2
    assert imager.json("search")["total"] == 0
    assert imager.json("show", known)["state"] == "missing"
    assert imager.json("jobs", "--retry")["retried"]["found"] == 0
    imager.fails("show", other)


def test_jobs_lists_failures_and_retries_them(imager: Program) -> None:
    bad = imager.write("bad.jpg", b"")
    imager.json("add", "photos")
    failed = [{"path": bad, "stage": "identify", "reason": "the file is empty"}]
    assert imager.json("jobs") == imager.json("jobs", "--failed") == {"failed": failed, "retried": None}
    assert imager.json("jobs", "--retry")["retried"]["failed"] == failed
    told = imager("jobs", "--failed").out
    assert "bad.jpg" in told and "the file is empty" in told


def test_doctor_says_by_its_exit_status_whether_the_library_is_sound(imager: Program) -> None:
    path = imager.write("a.jpg", jpeg(1))
    imager.json("add", "photos")
    for preview in imager.library.glob("derived/*/*.jpg"):
        preview.unlink()
    found = imager.json("doctor", "--dry-run", status=1)
    assert (found["ok"], found["repaired"], len(found["problems"])) == (False, [], 1)
    os.remove(path)
    assert imager.json("doctor", status=1)["ok"] is False
    imager.write("a.jpg", jpeg(1))


def test_stats_count_what_is_there(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1, taken="2021:07:04 15:30:00", make="Acme", model="One"))
    imager.write("b.jpg", b"bad")
    imager.json("add", "photos")
    held = imager.json("stats")
    assert (held["pictures"], held["failed"], held["cameras"]) == (1, 1, [{"value": "Acme One", "count": 1}])
    assert held["library"] == str(imager.library)
    assert "One" in imager("stats").out


def test_demo_and_run_make_something_to_look_at(imager: Program) -> None:
    drawn = imager.json("demo", "drawn", "--count", "2")
    assert drawn == {"folder": str(imager.folder / "drawn"), "drawn": 2}
    found = imager.json("run", "drawn")
    assert (found["report"]["added"], found["stats"]["pictures"]) == (2, 2)
    told = imager("run", "drawn")
    assert told.status == 0
    assert "2 files in" in told.out and "Try:" in told.out


def test_run_without_a_folder_draws_its_own_beside_a_library_of_its_own(imager: Program) -> None:
    done = imager("run", "--count", "1", library=False)
    assert done.status == 0
    assert (imager.folder / "demo-library" / "catalog.db").exists()
    assert "1 file in" in done.out
    assert "demo-library" in done.out


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes only there")
def test_paths_that_are_not_utf8_stand_as_surrogates_and_can_be_given_back(imager: Program) -> None:
    path = imager.write(b"caf\xe9.jpg", jpeg(1))
    bad = imager.write(b"b\xe9d.jpg", b"")
    done = imager("add", str(imager.photos), "--json")
    assert '"path": "' + bad.replace("\udce9", "\\udce9") + '"' in done.out
    hit = imager.json("search", "caf*")["hits"][0]
    assert hit["path"] == path
    assert imager.json("show", hit["path"])["files"][0]["path"] == path
    assert imager.json("rate", path, "3")
    assert "b\\udce9d.jpg" in json.dumps(imager.json("jobs"))


def test_the_library_is_named_before_the_command_or_by_the_environment(
    imager: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.json("add", "photos")
    monkeypatch.setenv("IMAGER_LIBRARY", str(imager.library))
    assert json.loads(imager("stats", "--json", library=False).out)["pictures"] == 1
    other = imager.folder / "other"
    monkeypatch.setenv("IMAGER_LIBRARY", str(other))
    assert imager.json("stats")["pictures"] == 1, "what is said goes before the environment"
    assert imager("stats", library=False).status == 1
    assert not other.exists()


def test_a_folder_of_photos_is_never_written(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.write("a.xmp", sidecar(rating=1))
    imager.write("b.jpg", b"bad")

    def state() -> dict[Path, tuple[bytes, int]]:
        return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in imager.photos.rglob("*") if p.is_file()}

    before = state()
    for command in (["add", "photos"], ["tag", "photos/a.jpg", "x"], ["rate", "photos/a.jpg", "5"], ["doctor"]):
        imager.json(*command)
    imager.json("erase", "photos/a.jpg", "--yes")
    assert state() == before
