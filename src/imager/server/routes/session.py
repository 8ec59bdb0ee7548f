"""Signing in and out, and who one is then; sessions on other browsers; one's own password."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from imager.errors import NotFoundError
from imager.library import Library
from imager.server import asking, problems
from imager.server import state as states
from imager.server.asking import Asker, need, public
from imager.server.auth import accounts, passwords, sessions
from imager.server.problems import documented
from imager.server.schemas.members import ChangePassword, Me, SessionInfo, Sessions, SignIn
from imager.server.state import State

router = APIRouter(prefix="/api/v1", tags=["Session"])

Holds = Annotated[State, Depends(states.of)]
_LASTS = 400 * 86_400  # seconds; the longest that browsers keep a cookie. The server says when the session ends
Person = Annotated[Asker, need("read", session=True)]


@router.post("/session", dependencies=[public()], responses=documented(401, 403, 429, 503))
async def sign_in(request: Request, response: Response, given: SignIn, state: Holds) -> Me:
    """Sign in with a password: the answer sets the cookie of a new session. One that the browser had before ends."""
    member = given.member.strip().lower()  # as keyboards of phones begin a word
    token = await state.signing.sign_in(
        state, member, given.password, address=address_of(request), agent=request.headers.get("user-agent", "")
    )
    return await begun(request, response, state, token)


@router.get("/session")
async def who(asker: Annotated[Asker, need("read")], state: Holds) -> Me:
    """Who asks: the member behind the session or key, and what it may."""
    return await state.desks.owner("door", lambda library: _me(library, asker))


@router.delete("/session", status_code=204)
async def sign_out(request: Request, response: Response, asker: Person, state: Holds) -> None:
    """Sign out: the session ends, here and wherever its cookie may have got to."""
    await state.desks.owner("write", lambda library: sessions.end(library.catalog, asker.member, asker.id))
    state.door.forget()
    path, secure = cookie_place(request, state)
    response.delete_cookie(asking.cookie_name(request), path=path, secure=secure, httponly=True, samesite="lax")
    response.headers["Clear-Site-Data"] = '"cache"'


@router.get("/sessions")
async def list_sessions(asker: Person, state: Holds) -> Sessions:
    """The sessions of who asks, on all browsers."""
    found = await state.desks.owner("door", lambda library: sessions.of_member(library.catalog, asker.member))
    return Sessions(
        sessions=[
            SessionInfo(
                id=s.id,
                created=moment(s.created),
                seen=moment(s.seen),
                expires=moment(s.expires),
                agent=s.agent,
                current=s.id == asker.id,
            )
            for s in found
        ]
    )


@router.delete("/sessions/{session}", status_code=204, responses=documented(404))
async def end_session(session: str, asker: Person, state: Holds) -> None:
    """End one session of who asks."""
    await state.desks.owner("write", lambda library: sessions.end(library.catalog, asker.member, session))
    state.door.forget()


@router.delete("/sessions", status_code=204)
async def end_other_sessions(asker: Person, state: Holds) -> None:
    """End all sessions of who asks but the one that asks."""
    await state.desks.owner("write", lambda library: sessions.end_all(library.catalog, asker.member, keep=asker.id))
    state.door.forget()


@router.put("/session/password", status_code=204, responses=documented(401, 429, 503))
async def change_password(request: Request, given: ChangePassword, asker: Person, state: Holds) -> None:
    """Change one's own password. All other sessions end."""
    passwords.checked(given.new, asker.member)
    known = await state.desks.owner("door", lambda library: accounts.account(library.catalog, asker.member))
    if known.password:
        await state.signing.check(state, asker.member, given.current or "", address=address_of(request))
    encoded = await asyncio.to_thread(passwords.hashed, given.new)
    await state.desks.owner(
        "write", lambda library: accounts.set_password(library.catalog, asker.member, encoded, keep=asker.id)
    )
    state.door.forget()


async def begun(request: Request, response: Response, state: State, token: str) -> Me:
    """Hand out the cookie of a session that begins, and end the one that the browser had."""
    before = request.cookies.get(asking.cookie_name(request))
    old = await state.door.session(before) if before else None
    if old is not None:
        with contextlib.suppress(NotFoundError):  # ended just now
            await state.desks.owner("write", lambda library: sessions.end(library.catalog, old.member, old.id))
        state.door.forget()
    path, secure = cookie_place(request, state)
    response.set_cookie(
        asking.cookie_name(request), token, max_age=_LASTS, path=path, secure=secure, httponly=True, samesite="lax"
    )
    asker = await state.door.session(token)
    if asker is None:  # ended just now, by somebody else
        raise problems.of_status(401)
    return await state.desks.owner("door", lambda library: _me(library, asker))


def cookie_place(request: Request, state: State) -> tuple[str, bool]:
    """Below which path browsers send the cookie, and whether over TLS alone."""
    return state.settings.base_path or "/", request.scope["scheme"] == "https"


def address_of(request: Request) -> str:
    """The address that a request came from, as far as trusted proxies tell."""
    return request.client.host if request.client is not None else ""


def moment(milliseconds: int) -> datetime:
    """A time as answers have it."""
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)


def _me(library: Library, asker: Asker) -> Me:
    known = accounts.account(library.catalog, asker.member)
    return Me(
        member=asker.member,
        name=known.name,
        role=asker.role,
        kind=asker.kind,
        id=asker.id,
        scopes=sorted(asker.scopes),
        password=known.password,
    )
