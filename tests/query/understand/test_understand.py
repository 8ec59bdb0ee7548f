"""What holds in every language: where readings stand, what is certain, false friends, known names, any text at all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.query.understand import LONGEST, MOST, Word, understand
from imager.query.understand.calendar import HOLIDAYS
from imager.query.understand.languages import Table
from imager.query.understand.lexicon import LANGUAGES, fold
from tests.query.understand.reading import NOW, read, said, words


class Known:
    """A vocabulary with a few names, which counts how often it is asked."""

    asked = 0

    def people(self, prefix: str, /) -> Sequence[tuple[str, int]]:
        self.asked += 1
        return [(name, 1) for name in ("Anna Schmidt", "Anna", "Zoë") if fold(name).startswith(fold(prefix))]

    def places(self, prefix: str, /) -> Sequence[tuple[str, int]]:
        self.asked += 1
        known = ("Paris", "New York", "München", "东京", "東京")
        return [(name, 1) for name in known if fold(name).startswith(fold(prefix))]


@pytest.mark.parametrize(
    "text",
    [
        "may",
        "March",
        "mars",
        "mar",
        "sin city",
        "original sin",
        "no",
        "No. 5",
        "not",
        "sans",
        "sin",
        "Sterne",
        "star",
        "photos",
        "pictures",
        "in",
        "de",
        "的",
        "の",
        "summer",
        "spring",
        "fall",
        "week",
        "last",
        "the last samurai",
        "pas de calais",
        "pas de deux",
        "comic sans serif",
        "F1",
        "F16",
        "iso",
        "rose",
        "Rose",
        "marron",
        "红楼梦",
        "黄山",
        "赤坂",
        "はなし",
        "三星手机",
        "IMG_20210824",
        "2077",
        "31/31/2021",
        "99 stars",
        "f/900",
        "version 1.2",
        "100",
        "reddish-grey-ish",
        "Rotterdam",
        "Blanche-Neige",
    ],
)
def test_a_false_friend_is_only_words(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text", ["Orange", "black forest", "sea of red", "white house", "hier", "2021", "christmas", "august"]
)
def test_what_may_be_words_as_well_is_not_certain(text: str) -> None:
    assert [reading.certain for reading in read(text)] == [False]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("aug 2021", "August 2021"),
        ("summer 2020", "summer 2020"),
        ("last winter", "winter 2020/21"),
        ("1999", "1999"),
        ("2015-2018", "2015–2018"),
        ("24.8.2021", "24 August 2021"),
        ("last week", "15–21 November 2021"),
        ("last 3 months", "22 August – 22 November 2021"),
        ("last 2 years", "22 November 2019 – 22 November 2021"),
        ("from May 2019 to July 2020", "May 2019 – July 2020"),
        ("the 90s", "1990s"),
        ("before the 90s", "before 1990s"),
        ("since 2019", "since 2019"),
        ("in May", "May, any year"),
        ("from May to July", "May – July, any year"),
        ("on this day", "22 November, any year"),
        ("new year's eve", "New Year's Eve"),
        ("not blurry", "not blurry"),
        ("ohne Menschen", "without people"),
        ("nicht rot", "not red"),
        ("4 stars and more", "★ 4 and more"),
        ("less than 3 stars", "less than ★ 3"),
        ("f/2.8", "f/2.8"),
        ("24-70mm", "24–70 mm"),
        ("over 5 mb", "more than 5 MB"),
        ("dunkelgrün", "dark green"),
        ("mostly red", "mostly red"),
        ("red 40%", "40 % red"),
        ("red or blue", "red or blue"),
        ("noir et blanc", "black and white"),
        ("portrait format", "portrait"),
        ("with gps", "with location"),
    ],
)
def test_a_chip_says_in_few_words_what_was_understood(text: str, label: str) -> None:
    assert [reading.label for reading in read(text)] == [label]


def test_a_reading_says_which_words_it_covers_and_where_its_core_stands() -> None:
    text = "dogs  in photos from August 2021, (not blurry)"
    date, exclude = read(text)
    assert (date.first, date.last) == (1, 5)
    assert text[date.start : date.end] == "in photos from August 2021,"
    assert text[date.core_start : date.core_end] == "August 2021"
    assert (exclude.first, exclude.last) == (6, 7)
    assert text[exclude.start : exclude.end] == "(not blurry)"
    assert exclude.kind == "exclude"


def test_a_part_of_a_word_without_spaces_can_be_a_reading() -> None:
    text = "海边 2021年8月的红色汽车"
    date, colour = read(text)
    assert (date.first, date.last, colour.first, colour.last) == (1, 1, 1, 1)
    assert text[date.start : date.end] == "2021年8月的"
    assert text[colour.start : colour.end] == "红色"
    assert text[colour.end :] == "汽车"


def test_offsets_are_those_of_the_typed_text_even_where_folding_changes_its_length() -> None:
    text = "ﬁne Straße e\u0301cole ２０２１年"
    (reading,) = read(text)
    assert text[reading.start : reading.end] == "２０２１年"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("in Paris", "place Paris"),
        ("beach in new york 2019", "[beach] place New York 2019-01-01..2020-01-01"),
        ("Bilder aus Muenchen", "[Bilder aus Muenchen]"),
        ("Bilder aus München", "place München"),
        ("aus munchen", "place München"),
        ("à Paris, en mai", "place Paris *-05"),
        ("with Anna Schmidt", "person Anna Schmidt"),
        ("avec Zoe", "person Zoë"),
        ("photos of Anna", "person Anna"),
        ("without Anna", "not person Anna"),
        ("not Paris", "not place Paris"),
        ("在东京", "place 东京"),
        ("東京の写真", "place 東京"),
        ("Paris", "[Paris]"),
        ("Anna", "[Anna]"),
        ("in Atlantis", "[in Atlantis]"),
    ],
)
def test_a_known_name_is_read_behind_a_preposition(text: str, meaning: str) -> None:
    assert said(text, vocabulary=Known()) == meaning


def test_the_vocabulary_is_asked_a_limited_number_of_times() -> None:
    known = Known()
    read("in a of the from " * 200, vocabulary=known)
    assert 0 < known.asked <= 128


@pytest.mark.parametrize(
    ("now", "text", "meaning"),
    [
        (datetime(2021, 7, 15), "last summer", "2020-06-01..2020-09-01"),
        (datetime(2021, 9, 1), "last summer", "2021-06-01..2021-09-01"),
        (datetime(2021, 1, 15), "last winter", "2019-12-01..2020-03-01"),
        (datetime(2021, 1, 15), "this winter", "2020-12-01..2021-03-01"),
        (datetime(2021, 12, 15), "this winter", "2021-12-01..2022-03-01"),
        (datetime(2021, 1, 1), "last month", "2020-12-01..2021-01-01"),
        (datetime(2021, 3, 31), "last 1 month", "2021-02-28..2021-04-01"),
        (datetime(2020, 2, 29), "last 1 year", "2019-02-28..2020-03-01"),
        (datetime(2020, 2, 29), "on this day", "*-02-29"),
        (datetime(2021, 8, 5), "last august", "2020-08-01..2020-09-01"),
        (datetime(2021, 8, 5), "since august", "2021-08-01.."),
        (datetime(2021, 7, 5), "since august", "2020-08-01.."),
        (datetime(2021, 12, 26), "last christmas", "2020-12-24..2020-12-27"),
        (datetime(2021, 12, 27), "last christmas", "2021-12-24..2021-12-27"),
        (datetime(2021, 11, 26), "last friday", "2021-11-19..2021-11-20"),
        (datetime(2021, 11, 28), "this weekend", "2021-11-27..2021-11-29"),
        (datetime(2021, 11, 28), "last weekend", "2021-11-20..2021-11-22"),
        (datetime(2021, 1, 1), "the 20s", "2020-01-01..2030-01-01"),
        (datetime(2021, 1, 1), "the 30s", "1930-01-01..1940-01-01"),
        (datetime(2021, 1, 1), "24.08.22", "1922-08-24..1922-08-25?"),
    ],
)
def test_relative_dates_are_counted_from_the_given_clock(now: datetime, text: str, meaning: str) -> None:
    assert said(text, now) == meaning


@pytest.mark.parametrize(
    "text", ["30.2.2021", "29 february 2021", "2021-13-01", "2021年13月", "february 30", "from 2 to 99 may"]
)
def test_a_day_that_no_calendar_has_is_no_date(text: str) -> None:
    assert all("02-30" not in said(text) and "13" not in reading.label for reading in read(text))


_ROLES: list[str] = sorted(
    {
        phrase
        for table in LANGUAGES.values()
        for values in table.values()
        for text in values.values()
        for phrase in text.split(",")
    }
)
_PIECES = st.one_of(
    st.sampled_from(_ROLES),
    st.sampled_from(
        ["2021", "8", "24.", "'19", "2020/21", "-", "★", "40%", "#c0392b", "f/2.8", "(", ",", "の", "的", "人"]
    ),
    st.text(max_size=6),
)


@given(
    st.lists(_PIECES, max_size=12),
    st.sampled_from(["", " ", "  "]),
    st.datetimes(datetime(1, 1, 1), datetime(9990, 1, 1)),
)
def test_any_text_is_read_without_an_error_and_readings_stand_side_by_side(
    pieces: list[str], joint: str, now: datetime
) -> None:
    text = joint.join(pieces)
    typed = words(text)
    past = 0
    for reading in understand(typed, Known(), now=now):
        assert past <= reading.start <= reading.core_start < reading.core_end <= reading.end <= len(text)
        assert typed[reading.first].start <= reading.start < typed[reading.first].end
        assert typed[reading.last].start < reading.end <= typed[reading.last].end
        assert reading.label
        past = reading.end


@given(st.lists(st.text(min_size=1, max_size=5), max_size=5), st.integers(0, 50))
def test_words_whose_text_differs_from_what_was_typed_do_no_harm(texts: list[str], gap: int) -> None:
    typed = [Word(text, at * 60, at * 60 + gap + 1) for at, text in enumerate(texts)]
    for reading in understand(typed, None, now=NOW):
        assert typed[reading.first].start <= reading.start < reading.end <= typed[reading.last].end


@pytest.mark.parametrize(
    "piece", ["dog beach ", "去年", "没有犬の", "between 2015 and ", "not ", "2021-", "a", "十", "photos from the "]
)
def test_long_text_costs_little_and_only_its_beginning_is_read(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    typed = words(text)
    start = time.process_time()
    readings = understand(typed, None, now=NOW)
    assert time.process_time() - start < 1  # a tenth of it on an idle machine
    assert len(readings) <= MOST
    assert all(reading.end <= LONGEST for reading in readings)


@pytest.mark.parametrize("table", LANGUAGES.values(), ids=LANGUAGES)
def test_tables_hold_values_that_the_grammar_knows(table: Table) -> None:
    assert set(table.get("month", {})) <= set(range(1, 13))
    assert set(table["season"]) == {"spring", "summer", "autumn", "winter"}
    assert set(table["holiday"]) <= set(HOLIDAYS)
    assert all(phrase.strip() for values in table.values() for text in values.values() for phrase in text.split(","))
