"""Character sets, and what is made harmless in text for people."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats.text import clean, clean_line, decode, decode_user_comment, decode_utf16

FEW = settings(max_examples=80, derandomize=True, deadline=None)


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        (b"ASCII\0\0\0hello\0\0", "hello"),
        (b"ASCII\0\0\0Br\xc3\xbccke", "Brücke"),
        (b"UNICODE\0" + "Brücke".encode("utf-16-le"), "Brücke"),
        (b"UNICODE\0" + "Brücke".encode("utf-16-be"), "Brücke"),
        (b"UNICODE\0\xfe\xff" + "日本語".encode("utf-16-be"), "日本語"),
        (b"UNICODE\0" + "日本語のコメント".encode("utf-16-be"), "日本語のコメント"),
        (b"UNICODE\0\xef\xbb\xbfhello", "hello"),
        (b"JIS\0\0\0\0\0" + "日本語".encode("iso2022_jp"), "日本語"),
        (b"JIS\0\0\0\0\0" + "日本語".encode("shift_jis"), "日本語"),
        (b"\0\0\0\0\0\0\0\0plain", "plain"),
        (b"        plain", "plain"),
        (b"no code at all", "no code at all"),
        (b"", ""),
    ],
)
def test_user_comments_are_read_by_their_character_code(comment: bytes, text: str) -> None:
    assert decode_user_comment(comment) == text


def test_half_a_surrogate_pair_is_dropped() -> None:
    assert decode_utf16("a😀".encode("utf-16-le")[:-2]) == "a"


@FEW
@given(st.binary(max_size=60))
def test_decoded_text_holds_no_nul_and_can_be_encoded(data: bytes) -> None:
    for text in (decode(data), decode_user_comment(data), decode_utf16(data)):
        assert "\0" not in text
        text.encode()


@FEW
@given(st.text(st.characters(), max_size=60))
def test_cleaned_text_is_harmless_and_stays_so(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    cleaned.encode()
    assert not any(ord(c) < 32 and c not in "\n\t" for c in cleaned)
    assert "\n" not in clean_line(text)


def test_emoji_and_right_to_left_text_survive_cleaning() -> None:
    assert clean("  👩\u200d👧 שלום  ") == "👩\u200d👧 שלום"
