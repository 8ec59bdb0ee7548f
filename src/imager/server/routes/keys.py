"""API keys of who asks. Only a person who signed in makes, sees and revokes them: a key can't make keys."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends

from imager.server import state as states
from imager.server.asking import Asker, need
from imager.server.auth import keys
from imager.server.problems import documented
from imager.server.routes.session import moment
from imager.server.schemas.members import KeyInfo, Keys, MadeKey, NewKey
from imager.server.state import State

router = APIRouter(prefix="/api/v1/keys", tags=["Keys"])

Holds = Annotated[State, Depends(states.of)]
Person = Annotated[Asker, need("read", session=True)]


@router.get("")
async def list_keys(asker: Person, state: Holds) -> Keys:
    """The keys of who asks; never the secrets."""
    found = await state.desks.owner("door", lambda library: keys.of_member(library.catalog, asker.member))
    return Keys(keys=[_info(key) for key in found])


@router.post("", status_code=201)
async def create_key(given: NewKey, asker: Person, state: Holds) -> MadeKey:
    """Make a key. It may do what its scopes say, and never more than its member may at that time."""
    expires = None
    if given.expires is not None:
        moment_ = given.expires if given.expires.tzinfo is not None else given.expires.replace(tzinfo=UTC)
        expires = int(moment_.timestamp() * 1_000)
    secret, key = await state.desks.owner(
        "write",
        lambda library: keys.create(
            library.catalog, asker.member, name=given.name, scopes=given.scopes, expires=expires
        ),
    )
    return MadeKey(**_info(key).model_dump(), key=secret)


@router.delete("/{key}", status_code=204, responses=documented(404))
async def revoke_key(key: str, asker: Person, state: Holds) -> None:
    """Revoke a key: from now on it opens nothing."""
    await state.desks.owner("write", lambda library: keys.revoke(library.catalog, asker.member, key))
    state.door.forget()


def _info(key: keys.Key) -> KeyInfo:
    return KeyInfo(
        id=key.id,
        name=key.name,
        scopes=list(key.scopes),
        created=moment(key.created),
        expires=None if key.expires is None else moment(key.expires),
        seen=None if key.seen is None else moment(key.seen),
    )
