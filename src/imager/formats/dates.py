"""When a picture was taken: reads the ways in which metadata and file names write it, and weighs them.

`normalise` collects the candidates of a file from here, `ingest` adds the file's name and its times. A
candidate is a clock on the wall (`facts.TakenAt`), so nothing here knows a time zone: an offset is kept only
where the bytes state one.

How much each source is believed stands in `CONFIDENCE` alone. A date without its time is believed less
(`DATE_ONLY`), a month or a year less still, and the dates at which cameras start counting hardly at all.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from imager.facts import TakenAt

#: What each source is worth when it states date and time. docs/formats.md shows the same table.
CONFIDENCE: Final[dict[str, float]] = {
    "exif:DateTimeOriginal": 0.95,
    "xmp:exif:DateTimeOriginal": 0.92,
    "xmp:photoshop:DateCreated": 0.88,
    "exif:DateTimeDigitized": 0.85,
    "iptc:DateCreated": 0.82,
    "gps": 0.80,  # with the offset known from EXIF; without it GPS_WITHOUT_OFFSET
    "xmp:exif:DateTimeDigitized": 0.75,
    "name": 0.70,
    "xmp:xmp:CreateDate": 0.65,
    "iptc:DigitalCreationDate": 0.60,
    "png:Creation Time": 0.60,
    "exif:DateTime": 0.40,
    "xmp:xmp:ModifyDate": 0.25,
    "png:tIME": 0.20,
}
GPS_WITHOUT_OFFSET: Final = 0.55  # the moment is right, but the wall clock of the place is not known
DATE_ONLY: Final = 0.7  # factors
MONTH_ONLY: Final = 0.4
YEAR_ONLY: Final = 0.25
DEFAULT_CLOCK: Final = 0.1

EARLIEST_YEAR: Final = 1826  # the oldest photograph that survives
LATEST_YEAR: Final = 2100

_EPOCH: Final = datetime(1970, 1, 1)
_NUMBERS: Final = re.compile(
    r"\s*(\d{4})(?:[:\-/.](\d{1,2}|\s{0,2})(?:[:\-/.](\d{1,2}|\s{0,2}))?)?"
    r"(?:[ T:]+(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2}|\s{0,2})(?:[.,](\d+))?)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{1,2}:?(?:\d{2})?)?\s*",
    re.IGNORECASE,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RFC_1123: Final = re.compile(
    r"(?:[A-Za-z]{3,9},? +)?(?P<day>\d{1,2}) +(?P<month>[A-Za-z]{3,9}) +(?P<year>\d{4})"
    r" +(?P<H>\d\d):(?P<M>\d\d)(?::(?P<S>\d\d))?(?: +(?P<zone>\S{1,6}))?"
)
_ASCTIME: Final = re.compile(
    r"[A-Za-z]{3} +(?P<month>[A-Za-z]{3}) +(?P<day>\d{1,2}) +(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d) +(?P<year>\d{4})"
)
_OFFSET: Final = re.compile(r"\s*([+-])\s*(\d{1,2}):?(\d{2})?\s*")


def milliseconds(
    year: int, month: int = 1, day: int = 1, hour: int = 0, minute: int = 0, second: int = 0, milli: int = 0
) -> int | None:
    """Milliseconds from 1970-01-01T00:00 on the same wall clock, or None where there is no such moment."""
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return None
    if second == 60:  # a leap second
        second = 59
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    since = moment - _EPOCH
    return (since.days * 86400 + since.seconds) * 1000 + milli


def parse_offset(text: str) -> int | None:
    """Read '+02:00', '-0330' or 'Z' as minutes east of UTC; None for anything else or beyond 14 hours."""
    if text.strip().upper() in ("Z", "UTC", "GMT"):
        return 0
    match = _OFFSET.fullmatch(text)
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    if minutes > 14 * 60 or int(match[3] or 0) > 59:
        return None
    return -minutes if match[1] == "-" else minutes


def parse_date(text: str, source: str, *, subsec: str = "", offset: str = "") -> TakenAt | None:
    """Read EXIF's '2021:07:04 15:30:12', ISO 8601 in full or in part, and forms between the two.

    `subsec` holds the digits after the second's point, `offset` the clock's distance from UTC, where these
    stand in fields of their own. Blank, impossible and implausible dates give None. `source` is a key of
    `CONFIDENCE`.
    """
    if not text:
        return None
    match = _NUMBERS.fullmatch(text[:64].rstrip("\0 "))
    if not match:
        return _parse_words(text[:64].strip(), source)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    factor = 1.0
    if month is None or not month.strip():
        month, day, factor = "1", "1", YEAR_ONLY
    elif day is None or not day.strip():
        day, factor = "1", MONTH_ONLY
    elif hour is None:
        factor = DATE_ONLY
    digits = fraction or (subsec.strip() if subsec.strip().isascii() and subsec.strip().isdigit() else "")
    at = milliseconds(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int((second or "0").strip() or 0),
        int(digits[:3].ljust(3, "0")) if digits and hour is not None else 0,
    )  # fmt: skip
    if at is None:
        return None
    known = parse_offset(zone or "") if zone else parse_offset(offset)
    return candidate(at, source, offset=known if hour is not None else None, factor=factor)


def _parse_words(text: str, source: str) -> TakenAt | None:
    """Read the form that PNG recommends for 'Creation Time' (RFC 1123), and C's asctime."""
    match = _RFC_1123.fullmatch(text) or _ASCTIME.fullmatch(text)
    if not match:
        return None
    part = match.groupdict()
    name = part["month"][:3].lower()
    month = _MONTHS.index(name) + 1 if name in _MONTHS else 0
    at = milliseconds(int(part["year"]), month, int(part["day"]), int(part["H"]), int(part["M"]), int(part["S"] or 0))
    return None if at is None else candidate(at, source, offset=parse_offset(part.get("zone") or ""))


def candidate(at: int, source: str, *, offset: int | None = None, factor: float = 1.0) -> TakenAt:
    """A candidate with the confidence that its source, its precision and its value deserve."""
    confidence = CONFIDENCE[source] * factor
    if is_default_clock(at):
        confidence = min(confidence, DEFAULT_CLOCK)
    return TakenAt(at=at, offset=offset, source=source, confidence=round(confidence, 3))


def is_default_clock(at: int) -> bool:
    """Whether a wall clock shows what cameras and computers show when nobody set them.

    These are the first days of 1970 (Unix) and 1980 (MS-DOS), and midnight on the first of January of any
    year from 2000 on, to the second.
    """
    moment = datetime.fromtimestamp(at // 1000, UTC) if abs(at) < 1 << 42 else None
    if moment is None or (moment.month, moment.day) != (1, 1):
        return False
    return moment.year in (1970, 1980) or (
        moment.year >= 2000 and (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    )


# --- file names ---------------------------------------------------------------------------------------------

_NAME_FULL: Final = re.compile(
    r"(?<![0-9])(?P<y>(?:19|20)[0-9]{2})(?P<s>[-_.]?)(?P<m>[0-9]{2})(?P=s)(?P<d>[0-9]{2})"
    r"(?:[ _.T-]{1,3}|[ _][^\W\d_]{1,4}(?:[ _][^\W\d_]{1,4})?\.?[ _])?"
    r"(?P<H>[0-9]{1,2})(?P<t>[-_.:h\uff1a\ua789\u2236]?)(?P<M>[0-9]{2})(?:(?P=t)|[-_.:m])(?P<S>[0-9]{2})"
    r"(?P<ms>(?:(?P=t)|\.)?[0-9]{3})?(?![0-9])(?P<ap>[\s\u202f\u00a0_]?[AaPp]\.?[Mm]\b)?(?P<z>Z\b)?"
)
_NAME_DATE: Final = re.compile(
    r"(?<![0-9])(?<![0-9][-_.x])(?P<y>(?:18|19|20)[0-9]{2})(?P<s>[-_.])"
    r"(?P<m>[0-9]{2}|xx|XX)(?P=s)(?P<d>[0-9]{2}|xx|XX)(?![0-9]|x[0-9])"
)
_NAME_COMPACT: Final = re.compile(
    r"(?:^|(?<=[A-Za-z][-_ ])|(?<=[A-Za-z]))(?P<y>(?:19[789]|20[0-4])[0-9])(?P<m>[0-9]{2})(?P<d>[0-9]{2})"
    r"(?=$|[-_ .(]?(?!x[0-9])[A-Za-z(]|[-_ ][0-9]{1,4}$)"
)
_NAME_EPOCH: Final = re.compile(
    r"(?:FB_IMG_|mmexport|wx_camera_|Screenshot_|IMG_)?([12][0-9]{12})(?:[ _(-][0-9]{1,2}\)?)?"
)
_EPOCH_RANGE: Final = range(1_000_000_000_000, 2_524_608_000_000)  # 2001-09 to 2050


def date_from_name(name: str) -> TakenAt | None:
    """Read the date that cameras, phones and messengers put into a file's name; None where it is not clear.

    Knows date and time run together or parted ('IMG_20210704_153012', 'Screenshot 2021-07-04 at 3.30.12 PM'),
    dates alone at lower confidence ('IMG-20210704-WA0003', '2021-07-04 picnic', '1987-06-xx'), and
    milliseconds since 1970 ('1625412612000'). Google's 'PXL_' names and epochs are UTC and say so in
    `offset`.
    """
    stem = re.sub(r"(?:\.[A-Za-z][A-Za-z0-9]{0,9}){1,3}$", "", name[:255])
    for match in _NAME_FULL.finditer(stem):
        found = _full(match, stem)
        if found is not None:
            return found
    for match in _NAME_DATE.finditer(stem):
        month, day = (part if part.isdigit() and part != "00" else "" for part in (match["m"], match["d"]))
        if day and not month:
            continue
        factor = DATE_ONLY if day else MONTH_ONLY if month else YEAR_ONLY
        at = milliseconds(int(match["y"]), int(month or 1), int(day or 1))
        if at is not None:
            return candidate(at, "name", factor=factor)
    match_ = _NAME_COMPACT.search(stem)
    if match_:
        at = milliseconds(int(match_["y"]), int(match_["m"]), int(match_["d"]))
        if at is not None:
            return candidate(at, "name", factor=DATE_ONLY)
    match_ = _NAME_EPOCH.fullmatch(stem)
    if match_ and int(match_[1]) in _EPOCH_RANGE:
        return candidate(int(match_[1]), "name", offset=0, factor=0.8)
    return None


def _full(match: re.Match[str], stem: str) -> TakenAt | None:
    """Judge a match of date and time."""
    hour = int(match["H"])
    apart = match["s"] or match["t"] or match.end("d") != match.start("H")
    if len(match["H"]) == 1 and not match["t"]:
        return None
    if not apart and match.start() > 0 and stem[match.start() - 1] in "+(":
        return None  # a telephone number
    if match["ap"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["ap"].strip("\u202f\u00a0_ ")[0] in "pP" else 0)
    milli = int(match["ms"][-3:]) if match["ms"] else 0
    at = milliseconds(int(match["y"]), int(match["m"]), int(match["d"]), hour, int(match["M"]), int(match["S"]), milli)
    if at is None:
        return None
    utc = stem.startswith("PXL_") or match["z"]
    return candidate(at, "name", offset=0 if utc else None)
