"""Words are found as SQLite's full text finds them, whatever they are made of and whichever segment they lie in."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

import apsw
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imager.query.model import TEXT_FIELDS
from imager.search.segments import Merge, Segment, assembled, segment_of
from imager.search.sidecar import Generation, Writer
from imager.search.words import ALL, How, Words, tokens

HOWS: list[How] = ["exact", "prefix", "inside"]
NOTHING = [None] * len(TEXT_FIELDS)
HOSTILE = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("aAàÀÅßſıİΣς\u0301\u0308\u0345ǅﬃ\0\x7f\ufffd東京カー\u200d\u202e𝔘🏔9٣²Ⅷ_'\"-"),
    ),
    max_size=12,
)
WORDS = st.sampled_from(["beach", "bea", "beaches", "strand", "Größe", "größen", "ac", "accl", "x1", "東京", "京都"])
DOCUMENT = st.lists(st.one_of(st.none(), st.lists(WORDS, max_size=4).map(" ".join)), min_size=9, max_size=9)


@pytest.fixture(scope="module")
def db() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    connection.execute(
        f"CREATE VIRTUAL TABLE words USING fts5({', '.join(TEXT_FIELDS)}, "
        "content='', contentless_delete=1, tokenize=\"unicode61 remove_diacritics 2\")"
    )
    connection.execute("CREATE VIRTUAL TABLE instances USING fts5vocab(words, 'instance')")
    yield connection
    connection.close()


def fill(db: apsw.Connection, documents: Mapping[int, Sequence[str | None]]) -> None:
    db.execute("DELETE FROM words")
    marks = ", ".join("?" * len(TEXT_FIELDS))
    db.executemany(
        f"INSERT INTO words (rowid, {', '.join(TEXT_FIELDS)}) VALUES (?, {marks})",
        [(asset, *texts) for asset, texts in documents.items()],
    )


def encoded(documents: Mapping[int, Sequence[str | None]]) -> list[tuple[int, list[bytes | None]]]:
    return [(asset, [None if t is None else t.encode() for t in documents[asset]]) for asset in sorted(documents)]


def words_of(documents: Mapping[int, Sequence[str | None]], rows: int = 64) -> Words:
    return Words(segment_of(encoded(documents)), rows)


def put(words: Words, documents: Mapping[int, Sequence[str | None] | None]) -> None:
    there = {asset: texts for asset, texts in documents.items() if texts is not None}
    words.put(np.array(sorted(documents), np.int64), encoded(there))


def shown(words: Words, term: str, how: How, fields: int = ALL) -> dict[int, int]:
    found = words.find(term, how, fields)
    assert found.assets.dtype == np.uint32
    assert found.fields.dtype == np.uint16
    assert np.all(np.diff(found.assets.astype(np.int64)) > 0)
    assert len(found.assets) <= words.count(term, how)
    return dict(zip(found.assets.tolist(), found.fields.tolist(), strict=True))


@given(texts=st.lists(HOSTILE, min_size=1, max_size=9))
@example(["Straße İstanbul ﬃ", "cafe\u0301", "a\0b", "x" * 40_000, "ǅ ſ ς Σ", "Å Å", "\u0301", "٣ ² Ⅷ"])
def test_words_are_cut_and_folded_as_full_text_does_it(db: apsw.Connection, texts: list[str]) -> None:
    fill(db, {1: [*texts, *NOTHING][:9]})
    by_sqlite: dict[str, list[str]] = {}
    for term, _, field, _ in db.execute("SELECT * FROM instances ORDER BY col, offset"):
        by_sqlite.setdefault(field, []).append(term)
    for field, text in zip(TEXT_FIELDS, texts, strict=False):
        assert [t.encode()[:32_768].decode() for t in tokens(text)] == by_sqlite.get(field, [])


def test_halves_of_characters_are_no_words() -> None:
    assert tokens("a\ud800b") == ["a", "b"]


@given(documents=st.dictionaries(st.integers(1, 60), DOCUMENT, max_size=8), term=WORDS)
def test_words_and_beginnings_are_found_as_match_finds_them(
    db: apsw.Connection, documents: dict[int, list[str | None]], term: str
) -> None:
    fill(db, documents)
    words = words_of(documents)
    (token,) = tokens(term)
    for how, star in zip(HOWS, ("", "*"), strict=False):
        expected: dict[int, int] = {}
        for bit, field in enumerate(TEXT_FIELDS):
            for (asset,) in db.execute("SELECT rowid FROM words WHERE words MATCH ?", (f'{field} : "{term}" {star}',)):
                expected[asset] = expected.get(asset, 0) | 1 << bit
        assert shown(words, token, how) == expected
        some = {asset: fields & 0b10011 for asset, fields in expected.items() if fields & 0b10011}
        assert shown(words, token, how, 0b10011) == some


@given(
    documents=st.dictionaries(st.integers(1, 60), DOCUMENT, max_size=8),
    piece=st.sampled_from(["a", "ac", "ea", "ß", "京"]),
)
def test_pieces_are_found_inside_words(documents: dict[int, list[str | None]], piece: str) -> None:
    expected: dict[int, int] = {}
    for asset, texts in documents.items():
        for bit, text in enumerate(texts):
            if any(piece in token for token in tokens(text or "")):
                expected[asset] = expected.get(asset, 0) | 1 << bit
    assert shown(words_of(documents), piece, "inside") == expected


@given(
    first=st.dictionaries(st.integers(1, 20), DOCUMENT, max_size=6),
    later=st.lists(st.dictionaries(st.integers(1, 30), st.one_of(st.none(), DOCUMENT), max_size=4), max_size=12),
)
def test_only_the_latest_texts_of_a_picture_count(
    first: dict[int, list[str | None]], later: list[dict[int, list[str | None] | None]]
) -> None:
    words, now = words_of(first), dict(first)
    for change in later:
        put(words, dict(change))
        for asset, texts in change.items():
            now.pop(asset, None)
            if texts is not None:
                now[asset] = texts
    expected = words_of(now)
    file = io.BytesIO()
    writer = Writer(file)
    words.write(writer)
    writer.finish({})
    for found in (words, Words.read(Generation(file.getbuffer()), 64)):
        for term in ("beach", "bea", "große", "ac", "x1", "東京"):
            for how in HOWS:
                assert shown(found, term, how) == shown(expected, term, how)


def test_very_many_postings_are_united_rightly() -> None:
    rows = 50_000
    terms = [b"a%05d" % n for n in range(40)]
    random = np.random.default_rng(7)
    docs = [np.sort(random.choice(np.arange(1, rows), 5_000, replace=False)) for _ in terms]
    fields = [1 << random.integers(0, 9, 5_000) for _ in terms]
    every = assembled(
        terms, [5_000] * 40, np.concatenate(docs).astype(np.uint32), np.concatenate(fields).astype(np.uint16)
    )
    expected: dict[int, int] = {}
    for some, bits in zip(docs, fields, strict=True):
        for asset, bit in zip(some.tolist(), bits.tolist(), strict=True):
            expected[asset] = expected.get(asset, 0) | bit
    words = Words(every, rows)
    assert shown(words, "a", "prefix") == shown(words, "0", "inside") == expected
    moved = np.arange(1, rows, 400)
    words.put(moved, [(int(asset), [b"a00007", *NOTHING[1:]]) for asset in moved])
    seven = dict(zip(docs[7].tolist(), fields[7].tolist(), strict=True))
    seven = {asset: bit for asset, bit in seven.items() if asset not in set(moved.tolist())} | dict.fromkeys(
        moved.tolist(), 1
    )
    assert shown(words, "a00007", "exact") == dict(sorted(seven.items()))


def test_segments_stay_few() -> None:
    words = words_of({})
    for asset in range(1, 600):
        words.grow(asset + 1)
        put(words, {asset: [f"w{asset} all", *NOTHING[1:]]})
    assert len(words._segments) < 40
    assert list(shown(words, "all", "exact")) == list(range(1, 600))
    assert shown(words, "w77", "exact") == {77: 1}


def test_a_merge_in_pieces_is_one_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imager.search.segments._MERGED_AT_ONCE", 3)
    one = segment_of([(n, [f"a{n} both x{n % 3}".encode(), *NOTHING[1:]]) for n in range(1, 9)])
    other = segment_of([(n, [f"c{n} both".encode(), *NOTHING[1:]]) for n in range(9, 12)])
    merge = Merge([one, other], [lambda docs: docs != 3, lambda _: None])
    pieces = list(merge.postings())
    assert len(pieces) > 3
    docs, fields = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    words = Words(assembled(*merge.vocabulary(), docs, fields), 12)
    assert list(shown(words, "both", "exact")) == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11]
    assert shown(words, "a3", "exact") == {}
    assert words.terms("a3", 5) == []
    assert list(shown(words, "x", "prefix")) == [1, 2, 4, 5, 6, 7, 8]


def test_completion_tells_the_most_frequent_first() -> None:
    documents = {n: [f"beach n{n}" if n % 2 else "bear beach", *NOTHING[1:]] for n in range(1, 10)}
    words = words_of(documents)
    put(words, {10: ["bear beat", *NOTHING[1:]]})
    assert words.terms("be", 5) == [("beach", 9), ("bear", 5), ("beat", 1)]
    assert words.terms("be", 1) == [("beach", 9)]
    assert words.terms("", 2) == [("beach", 9), ("bear", 5)]
    assert words.terms("z", 2) == []


def test_completion_among_very_many_terms() -> None:
    docs = np.arange(1, 6_002, dtype=np.uint32)
    counts = [1] * 5_000 + [1_001]
    terms = [b"t%04d" % n for n in range(5_000)] + [b"tz"]
    words = Words(assembled(terms, counts, docs, np.ones(6_001, np.uint16)), 6_002)
    assert words.terms("t", 1) == [("tz", 1_001)]
    assert words.terms("t", 3)[0] == ("tz", 1_001)
    assert len(words.terms("t", 3)) == 3


def test_forgiving_words() -> None:
    texts = ["beach beech bach", "beach architecture", "img1234 beat", "ab ac"]
    words = words_of({n: [text, *NOTHING[1:]] for n, text in enumerate(texts, 1)})
    assert words.similar("beahc", 5) == [("beach", 2)]  # swapped
    assert words.similar("beech", 5) == [("beach", 2)]
    assert words.similar("beac", 5) == [("beach", 2), ("beat", 1)]
    assert words.similar("archtectrue", 5) == [("architecture", 1)]
    assert words.similar("beach", 1) == [("bach", 1)]
    assert words.similar("beach", 5) == [("bach", 1), ("beech", 1)]
    assert words.similar("img1235", 5) == []
    assert words.similar("ad", 5) == []
    put(words, {9: ["beacon", *NOTHING[1:]], 1: None})
    assert ("beacon", 1) in words.similar("beaco", 5)


def test_a_word_that_no_picture_has_any_more_is_not_found() -> None:
    words = words_of({1: ["unique", *NOTHING[1:]]})
    put(words, {1: ["other", *NOTHING[1:]]})
    assert shown(words, "unique", "exact") == shown(words, "uni", "prefix") == shown(words, "niq", "inside") == {}
    assert shown(words, "other", "exact") == {1: 1}


def test_what_no_word_can_be_is_not_found() -> None:
    words = words_of({1: ["beach", *NOTHING[1:]]})
    for how in HOWS:
        assert shown(words, "\0", how) == shown(words, "\ud800", how) == {}
    assert shown(words, "", "exact") == shown(words, "", "inside") == {}
    assert shown(words, "", "prefix") == {1: 1}


def test_an_empty_segment() -> None:
    empty = segment_of([])
    assert isinstance(empty, Segment)
    assert len(empty) == 0
    assert empty.terms() == []
