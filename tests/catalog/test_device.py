"""Which device we are: kept outside the library, so that two devices never speak under one name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imager.catalog import Catalog, Statement
from imager.catalog.device import config_folder
from imager.catalog.exchange import mend_clock
from imager.errors import ImagerError
from tests.catalog.libraries import Devices, content, log, put, say

_SAY = """
import sys, pathlib
from imager.catalog import Catalog, Statement
from tests.catalog.libraries import FakeRules, Wall
catalog = Catalog(pathlib.Path(sys.argv[1]), FakeRules(), now=Wall())
print(catalog.device.people, flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    print(catalog.say([Statement(bytes([7]) * 16, "title", n)]), flush=True)
catalog.close()
"""


def _start(catalog: Path, count: int) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _SAY, str(catalog), str(count)]
    env = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env, cwd=root)


def test_two_processes_that_open_a_new_library_at_once_share_it_and_never_give_one_name_twice(
    tmp_path: Path, devices: Devices
) -> None:
    devices.be("shared")
    path = tmp_path / "new" / "catalog.db"
    path.parent.mkdir()
    both = [_start(path, 40) for _ in range(2)]
    numbers = [process.stdout.readline() for process in both if process.stdout]
    assert numbers[0] == numbers[1] != ""
    said = [process.communicate("go\n")[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(set(said[0]) | set(said[1])) == 80
    assert len(log(devices.open("new", "shared"))) == 80


def _numbers(catalog: Catalog) -> tuple[int, int, int]:
    return catalog.device.files, catalog.device.people, catalog.device.rules


def test_a_library_opened_again_is_on_the_same_device(devices: Devices) -> None:
    assert _numbers(devices.open()) == _numbers(devices.open())


def test_a_copied_library_is_a_new_device(devices: Devices) -> None:
    one = devices.open()
    one.close()
    shutil.copytree(devices.folder / "library", devices.folder / "copy")
    other = devices.open("copy")
    assert other.id == one.id
    assert set(_numbers(other)).isdisjoint(_numbers(one))
    assert _numbers(devices.open()) == _numbers(one)


def test_a_library_on_another_computer_is_a_new_device(devices: Devices) -> None:
    assert set(_numbers(devices.open(device="desk"))).isdisjoint(_numbers(devices.open(device="lap")))


def test_a_moved_library_stays_on_its_device(devices: Devices) -> None:
    one = devices.open()
    one.close()
    (devices.folder / "library").rename(devices.folder / "elsewhere")
    moved = devices.open("elsewhere")
    assert _numbers(moved) == _numbers(one)
    moved.close()
    shutil.copytree(devices.folder / "elsewhere", devices.folder / "library")
    assert set(_numbers(devices.open())).isdisjoint(_numbers(one)), "a copy at the old place is none of it"


def test_a_backup_put_back_speaks_under_new_numbers_and_keeps_its_files(devices: Devices) -> None:
    one = devices.open()
    (picture,) = put(one, content(1))
    one.close()
    path = one.path
    shutil.copy(path, path.with_suffix(".backup"))
    again = devices.open()
    lost = again.say([Statement(picture, "title", "lost")], author="imager")
    again.close()
    os.replace(path.with_suffix(".backup"), path)
    restored = devices.open()
    assert restored.device.files == one.device.files
    assert {restored.device.people, restored.device.rules}.isdisjoint({one.device.people, one.device.rules})
    assert restored.say([Statement(picture, "title", "other")], author="imager") != lost
    assert _numbers(devices.open()) == _numbers(restored)


def test_what_was_said_under_a_former_number_can_be_undone(devices: Devices) -> None:
    one = devices.open()
    (picture,) = put(one, content(1))
    batch = say(one, picture, "title", "said")
    one.close()
    shutil.copy(one.path, one.path.with_suffix(".backup"))
    os.replace(one.path.with_suffix(".backup"), one.path)
    assert devices.open().undo() == batch


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"files": 1}',
        "people:null",
        "people:-1",
        "rules:1e3",
        "former:5",
        "inode:null",
        "extra:1",
    ],
)
def test_a_damaged_device_file_makes_a_new_device(devices: Devices, damage: bytes | str) -> None:
    one = devices.open()
    (path,) = (config_folder() / "devices").iterdir()
    if isinstance(damage, str):
        name, _, value = damage.partition(":")
        damage = json.dumps(json.loads(path.read_text()) | {name: json.loads(value)}).encode()
    path.write_bytes(damage)
    other = devices.open()
    assert set(_numbers(other)).isdisjoint(_numbers(one))
    assert _numbers(devices.open()) == _numbers(other)
    (picture,) = put(other, content(1))
    assert say(other, picture, "title", "x").endswith(f"{other.device.people:012x}")


def test_settings_that_cannot_be_used_are_an_error_that_says_so(devices: Devices) -> None:
    (devices.folder / "config").mkdir()
    (devices.folder / "config" / "desk").write_text("a file where a folder should be")
    with pytest.raises(ImagerError, match="IMAGER_CONFIG"):
        devices.open()


def test_nothing_of_the_device_lies_in_the_library(devices: Devices) -> None:
    catalog = devices.open()
    catalog.close()
    assert [p.name for p in (devices.folder / "library").iterdir()] == ["catalog.db"]
    assert mend_clock(devices.open()) == 0
