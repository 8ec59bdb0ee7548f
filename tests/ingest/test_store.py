"""The store of previews: files appear whole, in folders that are marked as a cache, and go when told."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from imager.errors import ImagerError, StorageFullError
from imager.ingest.ignore import is_cache_tag
from imager.ingest.store import KINDS, Store

SHA = bytes(range(32))
DATA = b"\xff\xd8 a preview \xff\xd9"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "derived")
    made.create()
    return made


def test_what_is_put_is_found_and_can_be_removed(store: Store) -> None:
    for kind in KINDS:
        store.put(SHA, kind, DATA)
        assert store.path(SHA, kind).read_bytes() == DATA
        assert store.sound(SHA, kind, len(DATA))
    store.put(SHA, "preview", DATA + DATA)
    assert store.path(SHA, "preview").read_bytes() == DATA + DATA
    store.remove(SHA)
    store.remove(SHA)
    assert not any(store.path(SHA, kind).exists() for kind in KINDS)
    assert store.leftovers() == []


def test_the_folder_is_marked_as_a_cache(store: Store) -> None:
    assert is_cache_tag(os.fsencode(store.folder / "CACHEDIR.TAG"))
    store.create()


@pytest.mark.parametrize("data", [b"", DATA[:-1], DATA[:-2] + b"\0\0", None])
def test_what_is_cut_off_or_gone_is_not_sound(store: Store, data: bytes | None) -> None:
    store.put(SHA, "preview", DATA)
    if data is None:
        store.path(SHA, "preview").unlink()
    else:
        store.path(SHA, "preview").write_bytes(data)
    assert not store.sound(SHA, "preview", len(DATA))


def test_what_a_killed_writer_left_is_found(store: Store) -> None:
    store.put(SHA, "preview", DATA)
    left = store.path(SHA, "preview").with_name(".x.jpg.0123.tmp")
    left.write_bytes(b"half")
    assert store.leftovers() == [left]


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, StorageFullError), (errno.EDQUOT, StorageFullError), (errno.EROFS, ImagerError)]
)
def test_a_disk_that_takes_nothing_is_told_and_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    def refuse(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(number, os.strerror(number), str(self))

    store.put(SHA, "thumbnail", DATA)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(kind, match=str(store.folder)):
        store.put(SHA, "preview", DATA)
    assert store.leftovers() == []
    assert not store.path(SHA, "preview").exists()
    (store.folder / "CACHEDIR.TAG").unlink()
    with pytest.raises(kind, match=str(store.folder)):
        store.create()
