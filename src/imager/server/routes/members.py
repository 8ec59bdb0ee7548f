"""Members: who has an account, with which role, and the links that let them in the first time. For owners, in person.

No API key comes here: a key that could make accounts could make itself whatever it likes.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends

from imager import access
from imager.errors import ForbiddenError, UsageError
from imager.library import Library
from imager.server import state as states
from imager.server.asking import Asker, need
from imager.server.auth import accounts, passwords, sessions
from imager.server.auth.accounts import Account
from imager.server.problems import documented
from imager.server.routes.session import moment
from imager.server.schemas.members import ChangeMember, Link, Member, Members, NewMember, SetPassword
from imager.server.state import State

router = APIRouter(prefix="/api/v1/members", tags=["Members"])

Holds = Annotated[State, Depends(states.of)]
Owner = Annotated[Asker, need("manage", role="owner", session=True)]


@router.get("")
async def list_members(asker: Annotated[Asker, need("read", role="viewer")], state: Holds) -> Members:
    """Everybody who has an account. Owners learn more than names and roles."""
    found = await state.desks.owner("read", lambda library: accounts.all_accounts(library.catalog))
    if asker.role == "owner" and "manage" in asker.scopes:
        return Members(members=[_full(account) for account in found])
    return Members(
        members=[Member(member=a.member, name=a.name, role=a.role) for a in found if not a.disabled],
    )


@router.post("", status_code=201)
async def create_member(given: NewMember, asker: Owner, state: Holds) -> Member:
    """Make an account. Without a password, a one-time link lets them in (`POST /api/v1/members/{member}/link`)."""
    encoded = None
    if given.password is not None:
        encoded = await asyncio.to_thread(passwords.hashed, passwords.checked(given.password, given.member))

    def create(library: Library) -> Account:
        _need_owner(library)
        return accounts.create(library.catalog, given.member, name=given.name, role=given.role, password=encoded)

    made = await state.desks.write(asker, create)
    state.door.forget()
    return _full(made)


@router.get("/{member}", responses=documented(404))
async def get_member(member: str, asker: Owner, state: Holds) -> Member:  # noqa: ARG001
    """One member."""
    return _full(await state.desks.owner("read", lambda library: accounts.account(library.catalog, member)))


@router.patch("/{member}", responses=documented(404))
async def change_member(member: str, given: ChangeMember, asker: Owner, state: Holds) -> Member:
    """Give a member another name or role, or let them in no more (`disabled`), which ends their sessions and keys."""

    def change(library: Library) -> Account:
        _need_owner(library)
        catalog = library.catalog
        accounts.account(catalog, member)
        if given.role is not None:
            accounts.set_role(catalog, member, None if given.role == "none" else given.role)
        if given.disabled is not None:
            accounts.set_disabled(catalog, member, given.disabled)
        if given.name is not None:
            accounts.set_name(catalog, member, given.name)
        return accounts.account(catalog, member)

    try:
        return _full(await state.desks.write(asker, change))
    finally:
        state.door.forget()


@router.put("/{member}/password", status_code=204, responses=documented(404))
async def set_password(member: str, given: SetPassword, asker: Owner, state: Holds) -> None:
    """Give somebody else another password. All their sessions end."""
    if member == asker.member:
        raise UsageError("Change your own password with PUT /api/v1/session/password, which asks for the present one.")
    encoded = await asyncio.to_thread(passwords.hashed, passwords.checked(given.password, member))

    def change(library: Library) -> None:
        _need_owner(library)
        accounts.set_password(library.catalog, member, encoded)

    await state.desks.write(asker, change)
    state.door.forget()


@router.post("/{member}/link", status_code=201, responses=documented(404))
async def make_link(member: str, asker: Owner, state: Holds) -> Link:
    """A link that signs a member in, once and within ten minutes: for who is new, or forgot their password."""

    def offer(library: Library) -> Link:
        _need_owner(library)
        if accounts.account(library.catalog, member).disabled:
            raise UsageError(f"{member} is disabled.")
        token = sessions.offer(library.catalog, member)
        return Link(path=f"/open?token={token}", expires=moment(library.catalog.now() + sessions.OPENING))

    return await state.desks.write(asker, offer)


def _need_owner(library: Library) -> None:
    """Refuse who is no owner at the very moment of writing."""
    if not access.may(library.principal, "manage", library.catalog):
        raise ForbiddenError("Only owners of the library may do that.")


def _full(account: Account) -> Member:
    return Member(
        member=account.member,
        name=account.name,
        role=account.role,
        password=account.password,
        disabled=account.disabled,
        created=moment(account.created),
    )
