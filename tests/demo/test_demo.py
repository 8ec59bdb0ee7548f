"""The demo library: its files, what is in them, and that a run can be stopped, repeated and told to go on."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from imager.demo import _draw, draw
from imager.demo.canvas import LIGHTS
from imager.demo.metadata import exif, xmp
from imager.demo.scenes import PAINTERS, paint
from imager.demo.trips import SCENES, plan
from imager.errors import ImagerError, UsageError
from imager.geo import locate


def _files(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert _draw(str(folder), 8, 7, None, 0.12) == 8
    return folder


def test_the_planned_pictures_are_there_and_open(small: Path) -> None:
    for shot in plan(8, 7):
        with Image.open(small / shot.path) as picture:
            stored = (shot.height, shot.width) if shot.orientation > 4 else (shot.width, shot.height)
            assert picture.size == tuple(round(side * 0.12) for side in stored)
            assert picture.format in ("JPEG", "PNG", "WEBP")
            picture.load()


def test_the_same_seed_draws_the_same_bytes(small: Path, tmp_path: Path) -> None:
    _draw(str(tmp_path), 8, 7, None, 0.12)
    assert _files(tmp_path) == _files(small)


def test_another_seed_draws_other_pictures(small: Path, tmp_path: Path) -> None:
    _draw(str(tmp_path), 4, 8, None, 0.06)
    assert not set(_files(tmp_path).values()) & set(_files(small).values())


def test_a_run_that_was_interrupted_goes_on_and_keeps_what_is_there(tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        progress.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _draw(str(tmp_path), 6, 7, stop, 0.06)
    before = _files(tmp_path)
    assert not [name for name in before if name.endswith(".part")]
    written = len([name for name in before if not name.endswith(".xmp")])
    assert written >= 2
    assert _draw(str(tmp_path), 6, 7, lambda *p: progress.append(p), 0.06) == 6 - written
    assert progress[-1] == (6, 6)
    assert before.items() <= _files(tmp_path).items()
    assert _draw(str(tmp_path), 6, 7, None, 0.06) == 0


def test_an_existing_file_of_that_name_is_kept(tmp_path: Path) -> None:
    path = tmp_path / plan(1, 7)[0].path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    assert draw(str(tmp_path), count=1) == 0
    assert path.read_bytes() == b"mine"


def test_what_cannot_be_asked_for_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        draw(str(tmp_path), count=0)
    with pytest.raises(UsageError):
        draw(str(tmp_path), count=1, seed=-1)


def test_a_folder_that_is_a_file_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ImagerError, match="file"):
        _draw(str(tmp_path / "file"), 1, 7, None, 0.05)


def test_cameras_dates_and_coordinates_read_back(small: Path) -> None:
    checked = 0
    for shot in plan(8, 7):
        with Image.open(small / shot.path) as picture:
            read = picture.getexif()
        if shot.metadata == "none":
            assert not read
            continue
        more, gps = read.get_ifd(IFD.Exif), read.get_ifd(IFD.GPSInfo)
        assert (read[Base.Make], read[Base.Model]) == (shot.camera.make, shot.camera.model)
        assert read[Base.Orientation] == shot.orientation
        assert more[Base.LensModel] == shot.camera.lens
        assert more[Base.DateTimeOriginal] == shot.taken.strftime("%Y:%m:%d %H:%M:%S")
        assert int(more[Base.SubsecTimeOriginal]) == shot.taken.microsecond // 1000
        assert more[Base.ISOSpeedRatings] == shot.iso
        assert float(more[Base.ExposureTime]) == pytest.approx(shot.exposure[0] / shot.exposure[1])
        assert float(more[Base.FNumber]) == pytest.approx(shot.f_number)
        degrees, minutes, seconds = (float(part) for part in gps[GPS.GPSLatitude])
        sign = 1 if gps[GPS.GPSLatitudeRef] == "N" else -1
        assert sign * (degrees + minutes / 60 + seconds / 3600) == pytest.approx(shot.latitude, abs=1e-6)
        checked += 1
    assert checked >= 6


def test_offsets_follow_the_place_and_the_season() -> None:
    offsets = {shot.trip.place: exif(shot).get_ifd(IFD.Exif)[Base.OffsetTimeOriginal] for shot in plan(300, 7)}
    assert offsets["Lisbon"] == "+01:00"
    assert offsets["New York"] == "-04:00"
    assert offsets["Queenstown"] == "+13:00"


def test_captions_keywords_and_ratings_read_back(small: Path) -> None:
    tagged = [s for s in plan(8, 7) if s.tags and s.metadata == "embedded"]
    assert tagged
    for shot in tagged:
        with Image.open(small / shot.path) as picture:
            read = picture.getxmp()["xmpmeta"]["RDF"]["Description"]
        found = read["hierarchicalSubject"]["Bag"]["li"]
        assert tuple([found] if isinstance(found, str) else found) == shot.tags
        assert shot.trip.place in read["subject"]["Bag"]["li"]
        if shot.caption:
            assert read["title"]["Alt"]["li"]["text"] == shot.title
            assert read["description"]["Alt"]["li"]["text"] == shot.caption
        assert read.get("Rating") == (None if shot.rating is None else str(shot.rating))


def test_a_picture_with_a_sidecar_holds_no_xmp_of_its_own(small: Path) -> None:
    shot = next(s for s in plan(8, 7) if s.metadata == "sidecar")
    assert (small / shot.path).with_suffix(".xmp").read_bytes() == xmp(shot)
    with Image.open(small / shot.path) as picture:
        assert "xmp" not in picture.info


def test_the_last_picture_is_a_copy_under_another_name(small: Path) -> None:
    copy = plan(8, 7)[-1]
    assert copy.copy_of is not None
    assert copy.copy_of != copy.path
    assert (small / copy.path).read_bytes() == (small / copy.copy_of).read_bytes()


def test_turned_pictures_look_upright_to_who_honours_orientation(tmp_path: Path) -> None:
    shots = [s for s in plan(300, 7) if s.orientation != 1]
    assert {s.orientation for s in shots} == {6, 8}
    for orientation in (6, 8):
        shot = next(s for s in shots if s.orientation == orientation)
        upright = paint(shot.painter, shot.light, 80, 120, shot.seed)
        with Image.open(_only(tmp_path, shot, 80 / shot.width)) as picture:
            turned = picture.transpose({6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}[orientation])
        small_size = (40, 60)
        a, b = (np.asarray(p.resize(small_size).convert("L"), float) for p in (turned, Image.fromarray(upright)))
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.9


def _only(folder: Path, shot: object, scale: float) -> Path:
    from imager.demo import _write
    from imager.demo.trips import Shot

    assert isinstance(shot, Shot)
    _write(str(folder), shot, scale)
    return folder / shot.path


def test_a_whole_demo_has_something_of_everything() -> None:
    shots = plan(300, 7)
    assert len(shots) == 300
    assert len({s.path.lower() for s in shots}) == 300
    kinds = Counter(s.path.rpartition(".")[2].lower() for s in shots)
    assert set(kinds) == {"jpg", "png", "webp"}
    assert kinds["jpg"] > 250
    assert Counter(s.metadata for s in shots)["none"] >= 5
    assert sum(s.metadata == "sidecar" and s.copy_of is None for s in shots) == 1
    assert sum(s.rating is not None for s in shots) > 30
    assert len({s.camera.model for s in shots}) >= 5
    assert len({s.painter for s in shots}) == len(PAINTERS)
    assert {s.taken.year for s in shots} == set(range(2017, 2025))
    assert {s.painter for s in shots} | {"flower"} >= {scene.painter for scene in SCENES.values()}


def test_a_name_that_holds_a_date_holds_the_right_one() -> None:
    for shot in plan(300, 7):
        name = shot.path.rpartition("/")[2]
        if shot.copy_of is None and name.startswith(("IMG_20", "IMG-20", "PXL_")):
            assert name[4:12] == shot.taken.strftime("%Y%m%d")


def test_every_picture_lies_in_the_country_and_the_zone_of_its_trip() -> None:
    for shot in plan(300, 7):
        found = locate(shot.latitude, shot.longitude)
        assert found.time_zone == shot.trip.zone, shot.path
        assert found.place is not None
        assert found.place.country in (shot.trip.country, "The Netherlands", "Türkiye"), shot.path


def test_times_of_day_suit_the_light() -> None:
    for shot in plan(300, 7):
        start, end = LIGHTS[shot.light].hours
        assert start <= shot.taken.hour + shot.taken.minute / 60 + 1 / 60 and shot.taken.hour <= end
        assert isinstance(shot.taken, datetime)


@pytest.mark.parametrize("painter", PAINTERS)
@pytest.mark.parametrize("size", [(160, 107), (107, 160), (48, 48)])
def test_every_scene_can_be_painted_at_any_size_and_shows_something(painter: str, size: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = paint(painter, "sunset", *size, 3)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 8
