"""Random libraries: albums in albums, what is in them, whose is private, and who has which role; read slowly."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from imager.access import Role
from imager.catalog import OWNER

MEMBERS = (OWNER, "anna", "ben", "a stranger")
ROLES: tuple[Role, ...] = ("viewer", "editor", "owner")
PICTURES = 6


@dataclass
class Scene:
    """Albums by number: parent, whether it has a name, is deleted, is smart; what is in them; whose; roles."""

    albums: dict[int, tuple[int | None, bool, bool, bool]] = field(default_factory=dict)
    members: set[tuple[int, int]] = field(default_factory=set)
    private: dict[int, str] = field(default_factory=dict)
    grants: dict[tuple[str, int], Role] = field(default_factory=dict)

    def open(self, album: int) -> bool:
        parent, named, deleted, _ = self.albums[album]
        return named and not deleted and (parent is None or self.open(parent))

    def rank(self, member: str, album: int | None) -> int:
        """0: no role, 3: owner."""
        roles = [self.grants.get((member, 0))]
        at = album if album is not None and self.open(album) else None
        while at is not None:
            roles.append(self.grants.get((member, at)))
            at = self.albums[at][0]
        return max(0 if role is None else 1 + ROLES.index(role) for role in roles)

    def holding(self, asset: int) -> list[int]:
        return [album for album, one in self.members if one == asset and not self.albums[album][3]]

    def sees(self, member: str, asset: int) -> bool:
        if self.private.get(asset, member) != member:
            return False
        return any(self.rank(member, album) for album in [None, *self.holding(asset)])


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    scene = Scene()
    flag = st.integers(0, 7).map(lambda n: n == 0)
    for album in range(1, draw(st.integers(0, 5)) + 1):
        parent = draw(st.one_of(st.none(), st.integers(1, album - 1))) if album > 1 else None
        scene.albums[album] = (parent, not draw(flag), draw(flag), draw(flag))
    assets = st.integers(1, PICTURES)
    if scene.albums:
        scene.members = draw(st.sets(st.tuples(st.sampled_from(sorted(scene.albums)), assets), max_size=10))
    scene.private = draw(st.dictionaries(assets, st.sampled_from(MEMBERS[:3]), max_size=3))
    places = st.tuples(st.sampled_from(MEMBERS[:3]), st.sampled_from([0, *scene.albums]))
    scene.grants = draw(st.dictionaries(places, st.sampled_from(ROLES), max_size=5))
    return scene
