"""What the grammar knows of each language: tables of words by the role they play, one module a language.

The grammar itself (`dates`, `numbers`, `colours`, `negation`, `kinds`) knows roles only, in whatever order people put
them, so that a language is added by writing a table. Case, accents and hyphens don't matter in the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Role = Literal[
    # dates
    "month",  # 1 to 12: a word that hardly means anything else
    "month_word",  # 1 to 12: also a common word (may, march, mars): needs a day, a year or a preposition
    "month_short",  # 1 to 12: abbreviations; need a day or a year
    "weekday",  # 0 (Monday) to 6
    "season",  # spring, summer, autumn, winter
    "unit",  # day, week, month, year, weekend
    "relative",  # 'unit distance': yesterday is 'day -1'
    "relative_word",  # the same, but also a common word of another language: uncertain
    "last",
    "past",  # as last, counted back from today: the past week
    "this",
    "ago",  # after the time: two years ago
    "ago_before",  # before the time: vor zwei Jahren, il y a deux ans
    "count",  # 1 to 12
    "ordinal",  # what stands behind the number of a day: 1st, 2nd
    "between",
    "since_to",  # opens a range, and says 'since' where no second date follows
    "from",  # opens a range, and says 'in' where no second date follows
    "to",
    "before",
    "after",
    "since",
    "until",
    "before_post",  # behind the date
    "after_post",
    "since_post",
    "until_post",
    "decade",  # its first year
    "decade_suffix",
    "decade_prefix",
    "holiday",  # a key of `calendar.HOLIDAYS`
    "on_this_day",
    # numbers
    "star",
    "at_least",
    "more_than",
    "at_most",
    "less_than",
    "or_more",
    "or_less",
    "iso",
    "millimetre",
    "megapixel",
    "megabyte",
    # colours
    "colour",  # one of `query.model.COLOURS`
    "colour_weak",  # the same, but first of all something else: read behind another word only (robe rose)
    "shade",  # dark, light: says which red, before or behind it
    "mostly",
    "monochrome",
    # kinds
    "shape",  # of `query.model.Shape`
    "format",  # makes a shape certain: portrait format
    "has",  # of `query.model.Has`; needs 'with' or 'without'
    "having",  # the same, needing neither: geotagged
    "favourite",
    "untagged",
    # negation
    "not",
    "not_post",  # behind what is not wanted
    "not_close",  # closes what `not` opened, as in 除了狗以外
    "not_before",  # words that an exclusion never begins with: 'no parking' is a sign
    # what says nothing beside something understood
    "article",
    "in",
    "of",
    "with",
    "and",
    "or",
    "pictures",
    "particle",
]
Table = Mapping[Role, Mapping[str | int, str]]
"""By role and value: words and phrases, separated by commas."""


def inflected(stems: str, endings: str) -> str:
    """Every stem with every ending (both separated by commas; '-' is no ending), as a table has them."""
    ends = ["" if ending.strip() == "-" else ending.strip() for ending in endings.split(",")]
    return ", ".join(stem.strip() + end for stem in stems.split(",") for end in ends)
