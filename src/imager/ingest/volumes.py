"""Which file system a path lies on: to tell a disk that is away from files that are gone, and to keep
catalogs off networks, where locks and shared memory can't be relied upon.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

# FUSE in general is not in the list: ntfs-3g and encrypted folders are local disks.
_NETWORK = frozenset(
    (
        *("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre", "ncp"),
        *("ncpfs", "nfs", "nfs4", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "vmhgfs", "webdav"),
        *("fuse.ceph", "fuse.cifs", "fuse.davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.goofys"),
        *("fuse.gvfsd-fuse", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.sshfs"),
        *("fuse.vmhgfs-fuse",),
    )
)
_BY_UUID = "/dev/disk/by-uuid"


def volume_of(path: bytes, status: os.stat_result) -> str | None:
    """A text that names the file system a folder lies on, or None if nothing is known.

    `status` is the folder's. What is promised: two folders of one file system have the same text while it
    stays mounted, two file systems mounted at the same time have different ones, and an empty mount point has
    that of the file system around it. Besides, on

    - Linux: the same after mounting again and after a restart, wherever udev knows the UUID of the file
      system (`uuid:`; ext4, XFS, FAT, exFAT, NTFS …) or the kernel derives statvfs(3)'s id from it (`fsid:`;
      Btrfs, ZFS, and ext4 inside a container). Others, network file systems among them, may change their
      `fsid:`, and at last `dev:`, the number of the device, between mounts.
    - macOS: the volume's UUID where `diskutil` knows it (`uuid:`), else the number of the device (`dev:`),
      which changes between mounts.
    - Windows (`serial:`): the volume's serial number, written when it was formatted.

    So the same text means the same volume (or its clone); another text may be the same volume, mounted anew.
    Costs some system calls (on macOS processes): ask once a device.
    """
    if sys.platform == "win32":
        return f"serial:{status.st_dev:x}" if status.st_dev else None
    if sys.platform == "darwin":
        uuid = _apple_uuid(path)
        return f"uuid:{uuid}" if uuid else f"dev:{status.st_dev:x}"
    if uuid := _linux_uuid(status.st_dev):
        return f"uuid:{uuid}"
    try:
        number = os.statvfs(path).f_fsid
    except OSError:
        number = 0
    return f"fsid:{number:x}" if number else f"dev:{status.st_dev:x}"


def _linux_uuid(device: int) -> str | None:
    try:
        with os.scandir(_BY_UUID) as links:
            for link in links:
                try:
                    if link.stat().st_rdev == device:
                        return link.name
                except OSError:  # unplugged at this moment
                    continue
    except OSError:  # a container, or no udev
        pass
    return None


def is_network_filesystem(path: bytes) -> str | None:
    """The type of file system ('nfs4', 'cifs', 'fuse.sshfs' …) if the path lies on a network, else None.

    The path need not exist yet; what counts then is the nearest folder above that does. What can't be found
    out counts as local.
    """
    path = os.path.realpath(path)
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    if sys.platform == "win32":
        return _windows_network(os.fsdecode(path))
    if sys.platform == "darwin":
        kind = _apple_type(path)
    else:
        try:
            with open("/proc/self/mountinfo", "rb") as file:
                kind = type_in_mountinfo(file.read(), path, os.stat(path).st_dev)
        except OSError:
            return None
    return kind if kind in _NETWORK else None


def type_in_mountinfo(table: bytes, path: bytes, device: int) -> str | None:
    """The type of the file system that holds `path`, by Linux's mountinfo (proc_pid_mountinfo(5)).

    Of the mounts above the path the deepest counts, of those at one point the last; a mount with the device's
    number is preferred, since others at the same point may be hidden.
    """
    best: tuple[bool, int] = (False, -1)
    kind = None
    number = b"%d:%d" % (os.major(device), os.minor(device))
    for line in table.splitlines():
        fields = line.split(b" ")
        try:
            point, found = _unescape(fields[4]), fields[fields.index(b"-", 6) + 1]
        except (IndexError, ValueError):
            continue
        if path == point or path.startswith(point.rstrip(b"/") + b"/"):
            rank = (fields[2] == number, len(point))
            if rank >= best:
                best, kind = rank, found.decode("ascii", "replace").lower()
    return kind


def _unescape(field: bytes) -> bytes:
    return re.sub(rb"\\([0-3][0-7]{2})", lambda match: bytes((int(match[1], 8),)), field)


def _windows_network(path: str) -> str | None:
    """'network' for shares and drives mapped to them (GetDriveTypeW gives DRIVE_REMOTE, 4)."""
    if sys.platform == "win32":
        import ctypes

        root = os.path.splitdrive(os.path.abspath(path))[0] + "\\"
        if root.startswith("\\\\") and not root.startswith("\\\\?\\"):
            return "network"
        if ctypes.windll.kernel32.GetDriveTypeW(root) == 4:
            return "network"
    return None


def _apple_uuid(path: bytes) -> str | None:
    found = _output("diskutil", "info", "-plist", _apple_device(path))
    match = re.search(r"<key>VolumeUUID</key>\s*<string>([0-9A-Fa-f-]+)</string>", found)
    return match[1] if match else None


def _apple_device(path: bytes) -> str:
    lines = _output("df", "-P", os.fsdecode(path)).splitlines()
    return lines[-1].split(" ")[0] if len(lines) > 1 else ""


def _apple_type(path: bytes) -> str | None:
    """As `mount` prints it: '//user@host/share on /Volumes/share (smbfs, nodev, nosuid)'."""
    device = _apple_device(path)
    for line in _output("mount").splitlines():
        if line.startswith(f"{device} on "):
            match = re.search(r"\(([^,)]+)[^()]*\)$", line)
            return match[1] if match else None
    return None


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")
