from __future__ import annotations

import pytest
from hypothesis import given

from imager.errors import UsageError
from imager.query import model
from imager.query.model import All, AnyOf, Colour, Date, Named, Not, Query, Range, Tag, Text
from imager.query.normal import normalise
from imager.query.printer import print_query
from imager.query.text import parse
from tests.query import strategies

DAY = 86_400_000
AUGUST = 1_627_776_000_000


@given(strategies.queries)
def test_what_is_printed_is_read_as_the_same_query(query: Query) -> None:
    assert parse(print_query(query), understand=False).query == normalise(query)


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (All(), ""),
        (AnyOf(()), "-*"),
        (All((Text("red"), Text("door", "prefix"), Not(Text("blurry")))), "red door* -blurry"),
        (Text("red door", "phrase"), '"red door"'),
        (Text("red door"), '~"red door"'),
        (Text('12" pizza', "phrase"), '"12"" pizza"'),
        (Text("ccl", "inside"), "*ccl*"),
        (Text("OR"), '~"OR"'),
        (Text("sunset", field="title"), "title:sunset"),
        (Text("sunset", field="folder"), "text.folder:sunset"),
        (Not(Not(Text("a"))), "-(-a)"),
        (AnyOf((Text("cat"), All((Text("big"), Text("dog"))))), "(cat OR (big dog))"),
        (Date(AUGUST, AUGUST + DAY), "date:2021-08-01"),
        (Date(AUGUST, AUGUST + 31 * DAY), "date:2021-08"),
        (Date(AUGUST, AUGUST + 15 * DAY), "date:2021-08-01..2021-08-15"),
        (Date(AUGUST), "since:2021-08-01"),
        (Date(None, AUGUST + 1), "before:2021-08-01T00:00:00.001"),
        (model.OnDay(8, 24), "on:08-24"),
        (Named("camera", "fuji x-t4"), 'camera:"fuji x-t4"'),
        (Tag("Animals|Dogs"), "tag:Animals|Dogs"),
        (Tag("Animals", children=False), "tag:=Animals"),
        (Tag("A|OR"), 'tag:"A|OR"'),
        (Colour("red", 0.4), "colour:red>=40%"),
        (Range("rating", 4), "rating:>=4"),
        (Range("f_number", 2.75, 2.85), "f:2.8"),
        (Range("exposure_time", 1 / 60.5, 1 / 59.5), "shutter:1/60"),
        (Range("iso", 100, 400), "iso:100..400"),
        (Range("megapixels", 12.000000000000002), "mp:>12"),
        (model.Near(48.85, 2.35, 10), "near:48.85,2.35/10km"),
        (model.Near(48.85, 2.35, 10, "Paris"), 'near:"48.85,2.35/10km/Paris"'),
        (model.File("IMG_*.jpg"), "file:IMG_*.jpg"),
        (model.Shape("portrait"), "is:portrait"),
        (model.State("trashed"), "state:trashed"),
    ],
)
def test_printing_is_short(condition: model.Condition, text: str) -> None:
    query = Query(condition)
    assert print_query(query) == text
    assert parse(text, understand=False).query == normalise(query)


def test_the_order_is_printed_unless_it_is_by_relevance() -> None:
    assert print_query(Query(Text("a"), "newest")) == "a sort:newest"
    assert print_query(Query(Text("a"))) == "a"


def test_what_no_text_says_is_refused() -> None:
    with pytest.raises(UsageError, match="years"):
        print_query(Query(Date(10**18)))
    deep: model.Condition = Text("a")
    for _ in range(5_000):
        deep = Not(deep)
    with pytest.raises(UsageError, match="levels"):
        print_query(Query(deep))
