"""Telling volumes apart, and networks from disks."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from imager.ingest import volumes
from imager.ingest.volumes import is_network_filesystem, type_in_mountinfo, volume_of

linux = pytest.mark.skipif(sys.platform != "linux", reason="how Linux tells volumes apart")

TABLE = b"""\
22 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
40 22 0:35 / /mnt/nas rw shared:2 master:1 - nfs4 nas:/photos rw,vers=4.2
41 22 0:36 / /mnt/nas\\040two\\134x rw - cifs //nas/two rw
42 40 8:17 / /mnt/nas/usb rw - fuseblk /dev/sdb1 rw
43 22 0:44 / /home/me/remote rw - fuse.sshfs me@there:/ rw
44 22 0:45 / /over rw - nfs nas:/hidden rw
45 44 8:33 / /over rw - xfs /dev/sdc1 rw
broken line
46 22 0:46 / /\xff rw - CIFS //x/y rw
"""


def test_folders_of_one_file_system_have_one_volume(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    outer, inner = os.fsencode(tmp_path), os.fsencode(tmp_path / "inner")
    assert volume_of(outer, os.stat(outer)) == volume_of(inner, os.stat(inner))
    assert volume_of(outer, os.stat(outer))


@linux
def test_different_file_systems_have_different_volumes(tmp_path: Path) -> None:
    found = {volume_of(path, os.stat(path)) for path in (os.fsencode(tmp_path), b"/proc", b"/dev/pts")}
    assert len(found) == len({os.stat(path).st_dev for path in (os.fsencode(tmp_path), b"/proc", b"/dev/pts")})


@linux
def test_the_uuid_of_the_file_system_is_preferred_to_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "1234-ABCD").symlink_to("/dev/null")
    monkeypatch.setattr(volumes, "_BY_UUID", str(tmp_path))
    device = os.stat("/dev/null").st_rdev
    status = os.stat_result((0o40755, 1, device, 1, 0, 0, 0, 0, 0, 0))
    assert volume_of(os.fsencode(tmp_path), status) == "uuid:1234-ABCD"
    assert str(volume_of(os.fsencode(tmp_path), os.stat(tmp_path))).startswith(("fsid:", "dev:"))


@pytest.mark.parametrize(
    ("path", "device", "kind"),
    [
        (b"/home/me/pictures", (8, 2), "ext4"),
        (b"/mnt/nas", (0, 35), "nfs4"),
        (b"/mnt/nas/2020", (0, 35), "nfs4"),
        (b"/mnt/nasty", (8, 2), "ext4"),
        (b"/mnt/nas two\\x/a", (0, 36), "cifs"),
        (b"/mnt/nas/usb/a", (8, 17), "fuseblk"),
        (b"/home/me/remote/x", (0, 44), "fuse.sshfs"),
        (b"/over/x", (8, 33), "xfs"),
        (b"/\xff/x", (0, 46), "cifs"),
    ],
)
@linux
def test_the_type_of_a_file_system_is_that_of_the_nearest_mount(
    path: bytes, device: tuple[int, int], kind: str
) -> None:
    assert type_in_mountinfo(TABLE, path, os.makedev(*device)) == kind


@linux
def test_a_table_without_sense_has_no_types() -> None:
    assert type_in_mountinfo(b"\n \n1 2 3\n- - - - - - -\n\xff", b"/x", 0) is None


def test_a_local_folder_is_no_network_even_if_it_is_yet_to_be_made(tmp_path: Path) -> None:
    assert is_network_filesystem(os.fsencode(tmp_path)) is None
    assert is_network_filesystem(os.fsencode(tmp_path / "not" / "yet")) is None


@linux
def test_a_folder_on_a_network_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes, "type_in_mountinfo", lambda *_: "nfs4")
    assert is_network_filesystem(os.fsencode(tmp_path)) == "nfs4"
    monkeypatch.setattr(volumes, "type_in_mountinfo", lambda *_: "btrfs")
    assert is_network_filesystem(os.fsencode(tmp_path)) is None
