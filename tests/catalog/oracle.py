"""What the design says of a log, computed the slow and obvious way, to compare the catalog with.

Written from the text ('What always holds', 'Identity and edits, case by case'), not from the code: every definition
here is one sentence there.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from imager.catalog import Edit
from imager.catalog.contents import Content
from imager.catalog.identity import LOG, asset_id, tag_id, tag_name

Log = Mapping[str, Edit]


def erased(log: Log, edit: Edit) -> bool:
    """Earlier edits on the target of a tombstone are stored without their value."""
    if edit.target == LOG or edit.field in ("purged", "same_as", "supersedes"):
        return False
    return any(
        t.target == edit.target
        and t.field == "purged"
        and t.element == ""
        and t.value == "true"
        and t.clock > edit.clock
        for t in log.values()
    )


def is_cancelled(log: Log, edit: Edit) -> bool:
    """Withdrawn by its author, or named by a later cancel that is not cancelled itself; a tombstone by none."""
    if edit.target == LOG and edit.field == "withdraw":
        return False
    for other in log.values():
        if other.target != LOG:
            continue
        if other.field == "withdraw" and other.element == edit.clock and other.author == edit.author:
            return True
        names = (other.field == "cancel" and other.element == edit.clock) or (
            other.field == "cancel_batch" and other.element == edit.batch
        )
        if names and other.clock > edit.clock and edit.field != "purged" and not is_cancelled(log, other):
            return True
    return False


def _is_key(text: str) -> bool:
    """Digits and letters of ASCII, the last not 0."""
    return text.isascii() and text.isalnum() and not text.endswith("0")


def _fraction(key: str) -> Fraction:
    digits = string.digits + string.ascii_uppercase + string.ascii_lowercase
    return sum((Fraction(digits.index(d), 62**n) for n, d in enumerate(key, 1)), Fraction(0))


def _circle(start: bytes, edges: Mapping[bytes, tuple[str, bytes]]) -> list[bytes]:
    """Those whose parents lead back to `start`, if they do."""
    circle, at = [start], edges[start][1]
    while at != start:
        if at not in edges or at in circle:
            return []
        circle.append(at)
        at = edges[at][1]
    return circle


class Expected:
    """What must be seen of some pictures after a log, whatever the order in which it arrived."""

    def __init__(self, edits: Iterable[Edit], pictures: Iterable[Content]) -> None:
        self.log = {e.clock: e for e in edits}
        self.pictures = {asset_id(p.sha256): p for p in pictures}
        self.values = {c: None if erased(self.log, e) else e.value for c, e in self.log.items()}
        self.cancelled = {c for c, e in self.log.items() if is_cancelled(self.log, e)}
        self._stand = [
            e
            for c, e in sorted(self.log.items())
            if c not in self.cancelled and self.values[c] is not None and e.target != LOG
        ]
        self.components = self._components()
        self.assets = {members[0]: shown for members in self.components if (shown := self._asset(members)) is not None}
        self.tag_names = self._tag_names()
        self.albums = self._albums()

    def _components(self) -> list[list[bytes]]:
        ids = set(self.pictures)
        joined: dict[frozenset[bytes], bool] = {}
        for e in self._stand:
            if e.field == "same_as":
                pair = frozenset((e.target, bytes.fromhex(e.element)))
                joined[pair] = e.value == "1"
                ids |= pair
        whole = {i: {i} for i in ids}
        for pair, together in joined.items():
            if together:
                union = set().union(*(whole[i] for i in pair))
                for i in union:
                    whole[i] = union
        return sorted({tuple(sorted(c)): sorted(c) for c in whole.values()}.values())

    def _standing(self, members: list[bytes], field: str) -> dict[str, tuple[str, Any]]:
        """Element → clock and value of the latest edit that stands, of a picture under whichever of its ids."""
        return {
            e.element: (e.clock, json.loads(e.value or ""))
            for e in self._stand
            if e.target in members and e.field == field
        }

    def _value(self, members: list[bytes], field: str) -> Any:
        return self._standing(members, field).get("", (None, None))[1]

    def _asset(self, members: list[bytes]) -> dict[str, Any] | None:
        here = [i for i in members if i in self.pictures and self._value([i], "purged") is not True]
        if not here:
            return None
        versions = self._ordered(members, here)
        title = self._value(members, "title")
        fact = next((t for i in versions if (t := self.pictures[i].facts.title) is not None), None)
        votes = [v for v in self._standing(members, "rating").values() if type(v[1]) is int and -1 <= v[1] <= 5]
        rating = next((r for i in versions if (r := self.pictures[i].facts.rating) is not None), None)
        return {
            "shown": versions[0],
            "members": here,
            "title": (title or None) if isinstance(title, str) else fact,
            "rating": max(votes)[1] if votes else rating,
            "favourite": self._value(members, "favourite") is True,
            "private": p if isinstance(p := self._value(members, "private"), str) and p else None,
            "state": "trashed" if self._value(members, "trashed") is True else "present",
            "tags": self._tags(members, versions),
        }

    def _ordered(self, members: list[bytes], here: list[bytes]) -> list[bytes]:
        """The newest to take the place of another first; of the others the one with most pixels."""
        since = dict.fromkeys(here, "")
        for element, (clock, value) in self._standing(members, "supersedes").items():
            new = bytes.fromhex(element[:32])
            if value == 1 and new in since:
                since[new] = max(since[new], clock)

        def pixels(i: bytes) -> int:
            facts = self.pictures[i].facts
            return (facts.width or 0) * (facts.height or 0)

        replaced = sorted((i for i in here if since[i]), key=lambda i: since[i], reverse=True)
        return replaced + sorted((i for i in here if not since[i]), key=lambda i: (-pixels(i), i))

    def _tags(self, members: list[bytes], versions: list[bytes]) -> dict[bytes, str]:
        tags = {tag_id(k): "file" for i in versions for k in self.pictures[i].facts.keywords}
        for element, (_, value) in self._standing(members, "tag").items():
            if value == 1:
                tags[bytes.fromhex(element)] = "edit"
            elif value is not None:
                tags.pop(bytes.fromhex(element), None)
        return tags

    def _albums(self) -> dict[bytes, dict[str, Any]]:
        """Every album that has a name: its fields, where it is nested, and its pictures in order."""
        ids = {e.target for e in self._stand if e.field.startswith("album.")}
        parents = self._nested(ids)
        albums = {}
        for i in ids:
            own = {name: self._value([i], f"album.{name}") for name in ("name", "position", "description", "deleted")}
            name, position, description = (
                own[n] if isinstance(own[n], str) else None for n in ("name", "position", "description")
            )
            if not name:
                continue
            albums[i] = {
                "name": name,
                "parent": parents.get(i, ("", None))[1],
                "position": position if position and _is_key(position) else "",
                "description": description,
                "deleted": own["deleted"] is True,
                "pictures": self._in_album(i),
            }
        return albums

    def _nested(self, ids: set[bytes]) -> dict[bytes, tuple[str, bytes]]:
        """Parents as they are said; of each circle, what was said last does not count."""
        edges = {}
        for i in ids:
            clock, value = self._standing([i], "album.parent").get("", ("", None))
            if isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value):
                edges[i] = (clock, bytes.fromhex(value))
        while circles := [circle for i in edges if (circle := _circle(i, edges))]:
            del edges[max(circles[0], key=lambda i: edges[i][0])]
        return edges

    def _in_album(self, album: bytes) -> list[bytes]:
        """By key, where one is said; else by time (here always 0), the number in the file's name, and id."""
        places = []
        for members in self.components:
            smallest = members[0]
            _, value = self._standing(members, "album").get(album.hex(), ("", None))
            if smallest not in self.assets or not (value == 1 or isinstance(value, str)):
                continue
            if isinstance(value, str) and _is_key(value):
                places.append((_fraction(value), 0, smallest.hex()[:8], smallest))
                continue
            name = min(self.pictures[i].sha256.hex()[:8] for i in members if i in self.pictures)
            number = int((re.findall("[0-9]+", name) or ["0"])[-1][-7:])
            places.append((Fraction(62_135_596_800_000, 62**8), number, smallest.hex()[:8], smallest))
        return [place[-1] for place in sorted(places)]

    def _tag_names(self) -> dict[bytes, str]:
        names: dict[bytes, str] = {}
        for c, e in sorted(self.log.items()):
            value = json.loads(self.values[c] or "null")
            if e.field == "name" and isinstance(value, str) and tag_id(value) == e.target:
                names[e.target] = tag_name(value)
        return names
