"""What the design says of a log, computed the slow and obvious way, to compare the catalog with.

Written from the text ('What always holds', 'Identity and edits, case by case'), not from the code: every definition
here is one sentence there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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

    def _tag_names(self) -> dict[bytes, str]:
        names: dict[bytes, str] = {}
        for c, e in sorted(self.log.items()):
            value = json.loads(self.values[c] or "null")
            if e.field == "name" and isinstance(value, str) and tag_id(value) == e.target:
                names[e.target] = tag_name(value)
        return names
