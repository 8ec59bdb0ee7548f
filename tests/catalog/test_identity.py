"""Ids that every device computes alike."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog.identity import asset_id, format_id, id_of, parse_id, random_id, tag_id, tag_name


@given(st.binary(min_size=32, max_size=32))
def test_an_assets_id_is_the_beginning_of_its_hash_marked_as_version_8(sha256: bytes) -> None:
    own = asset_id(sha256)
    read = uuid.UUID(bytes=own)
    assert (read.version, read.variant) == (8, uuid.RFC_4122)
    kept = int.from_bytes(own) ^ int.from_bytes(sha256[:16])
    assert kept & ~(0xF << 76 | 0x3 << 62) == 0, "all other bits are the hash's"


def test_an_id_once_given_never_changes() -> None:
    assert asset_id(hashlib.sha256(b"").digest()).hex() == "e3b0c44298fc8c149afbf4c8996fb924"
    assert tag_id("Animals|Dogs").hex() == "f707ad905ebf80bbba0d9beb7d1ebd8c"
    with pytest.raises(ValueError, match="32 bytes"):
        asset_id(b"short")


@given(st.text(max_size=20))
def test_a_tags_id_follows_from_its_normalised_case_folded_name_alone(name: str) -> None:
    try:
        own = tag_id(name)
    except ValueError:
        assert not any(level.strip() and any(not c.isspace() for c in level) for level in tag_name_parts(name))
        return
    assert tag_id(unicodedata.normalize("NFD", name)) == own
    assert tag_id(f" {name} ") == own
    assert tag_id(tag_name(name)) == own
    assert tag_name(tag_name(name)) == tag_name(name)
    tag_name(name).encode()


def tag_name_parts(name: str) -> list[str]:
    """Levels of a name without what can't be kept."""
    return "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cs", "Zl", "Zp")).split("|")


@pytest.mark.parametrize(
    ("one", "other"),
    [("STRASSE", "straße"), ("Ångström", "A\u030angstro\u0308m"), ("a|b", " A |  b|"), ("new  york", "New York")],
)
def test_spellings_of_one_tag_share_an_id(one: str, other: str) -> None:
    assert tag_id(one) == tag_id(other)


def test_levels_are_part_of_a_name() -> None:
    assert tag_id("Animals|Dogs") != tag_id("Dogs|Animals") != tag_id("Animals Dogs")


@pytest.mark.parametrize("name", ["", " ", "|", " | ", "\0", "\ud800", "\u2028"])
def test_a_tag_needs_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        tag_id(name)


def test_ids_are_read_in_either_form_and_elements_in_one() -> None:
    one = random_id()
    assert uuid.UUID(bytes=one).version == 4
    assert parse_id(format_id(one)) == parse_id(one.hex().upper()) == one
    assert parse_id("IMG_0001.jpg") is None
    assert id_of(one.hex()) == one
    assert [id_of(t) for t in (format_id(one), one.hex() + "\n", "xyz", "")] == [None] * 4
