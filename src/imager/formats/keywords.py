"""Keywords of a picture from all the places that programs write them to, as one list without repetition.

Part of `normalise`. Hierarchies come as 'Animals|Dogs|Rex' (Lightroom), 'Animals/Dogs/Rex' (digiKam,
Microsoft) or as XML within a text (ACDSee). Programs that write a hierarchy usually write its words flat as
well; a flat keyword that some hierarchy contains is therefore left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from imager.formats.text import clean_line

MAX_KEYWORDS: Final = 2000
MAX_LENGTH: Final = 500
MAX_ACDSEE: Final = 100_000
_DIGIKAM_INTERNAL: Final = "_Digikam_Internal_Tags_"


def keywords_of(xmp: dict[str, Any], iptc: dict[str, list[str]], windows: str) -> tuple[str, ...]:
    """Every keyword once, in the order found: flat ones (XMP, IPTC, Windows), then hierarchies.

    `windows` is EXIF's XPKeywords, parted by semicolons. Equal is what is equal without regard to case. A
    hierarchy that another one continues is left out, as the other implies it.
    """
    hierarchical = [
        *(_levels(k, "|") for k in _strings(xmp.get("lr:hierarchicalSubject"))),
        *(_levels(k, "/") for k in _strings(xmp.get("digiKam:TagsList"))),
        *(_levels(k, "/") for k in _strings(xmp.get("MicrosoftPhoto:LastKeywordXMP"))),
        *_acdsee(xmp.get("acdsee:categories")),
    ]
    hierarchies = [levels for levels in hierarchical if len(levels) > 1 and levels[0] != _DIGIKAM_INTERNAL]
    within = {level.casefold() for levels in hierarchies for level in levels}
    # A hierarchy that is the beginning of another says nothing more.
    prefixes = {"|".join(levels[:n]).casefold() for levels in hierarchies for n in range(1, len(levels))}
    flat = [
        *_strings(xmp.get("dc:subject")),
        *iptc.get("Keywords", ()),
        *windows.split(";"),
        *("|".join(levels) for levels in hierarchical if len(levels) == 1),
    ]
    result: dict[str, str] = {}
    for keyword in flat:
        # Lightroom and others let a hierarchy's bar stand in dc:subject.
        name = "|".join(_levels(keyword, "|"))
        key = name.casefold()
        if key and key not in within and key not in prefixes:
            result.setdefault(key, name)
    for levels in hierarchies:
        name = "|".join(levels)
        if name.casefold() not in prefixes:
            result.setdefault(name.casefold(), name)
    return tuple(list(result.values())[:MAX_KEYWORDS])


def exported_keywords(xmp: dict[str, Any]) -> tuple[str, ...]:
    """The tags of a sidecar that Imager wrote: exactly those, and flat ones that another program added since.

    Nothing is left out for being implied: people may have said both 'Animals' and 'Animals|Dogs'.
    """
    said = [levels for k in _strings(xmp.get("lr:hierarchicalSubject")) if (levels := _levels(k, "|"))]
    within = {level.casefold() for levels in said for level in levels}
    more = [levels for k in _strings(xmp.get("dc:subject")) if (levels := _levels(k, "|"))]
    added = [levels for levels in more if not within.issuperset(level.casefold() for level in levels)]
    names = ("|".join(levels) for levels in said + added)
    return tuple({name.casefold(): name for name in names}.values())[:MAX_KEYWORDS]


def _levels(keyword: str, separator: str) -> list[str]:
    return [level for part in keyword[:MAX_LENGTH].split(separator) if (level := clean_line(part))]


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    items: Iterable[Any] = value if isinstance(value, list) else (value,)
    return [item for item in items if isinstance(item, str)][: 2 * MAX_KEYWORDS]


def _acdsee(value: Any) -> list[list[str]]:
    """ACDSee's categories: nested 'Category' elements, those with Assigned="1" hold."""
    if not isinstance(value, str) or not value.lstrip().startswith("<Categories") or len(value) > MAX_ACDSEE:
        return []
    try:
        root = fromstring(value, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return []
    found: list[list[str]] = []
    open_: list[tuple[Any, list[str]]] = [(child, []) for child in reversed(root)]
    while open_ and len(found) < MAX_KEYWORDS:
        element, above = open_.pop()
        name = clean_line((element.text or "").replace("|", "/"))
        path = [*above, name] if name else above
        if element.get("Assigned") == "1" and path:
            found.append(path)
        if len(path) < 20:
            open_.extend((child, path) for child in reversed(element))
    return found
