"""The way in for visitors of a share link: the token in the path, and for some links a password.

The password comes in the body of a POST and nowhere else. Who gave the right one has a cookie for two hours that is
bound to this link and to this password: it opens no other link with an equal one, and ends when the password is
changed. It is signed with a secret of this process, so all end with it. Wrong ones are counted per link and address,
and per link.

What a visitor asks for is looked up as the link's maker (`shares`), by an `Asker` of the kind 'link' that no other
route ever sees.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import Path, Request, Response

from imager.access import Principal
from imager.server import shares, state
from imager.server.asking import Asker
from imager.server.auth import passwords
from imager.server.auth.signing import network
from imager.server.problems import ProblemError
from imager.server.shares import Share

LASTS: Final = 2 * 3600
"""Seconds for which a password need not be given again."""

BURST, PER_MINUTE = 5, 1.0  # tries by one address at one link
BURST_LINK, PER_MINUTE_LINK = 100, 20.0  # and by all

Token = Annotated[str, Path(description="The token of a share link.", max_length=200)]

_SECRET: Final = secrets.token_bytes(32)
_AT_ONCE: Final = CapacityLimiter(1)  # Argon2id takes memory on purpose


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who has a link, and its password where it has one."""

    share: Share
    asker: Asker


async def visit(request: Request, token: Token) -> Visit:
    """The link that is visited: 404 for one that opens nothing (more), 401 where its password is wanted first."""
    share = await link(request, token)
    if share.password is not None and not _is_known(request, share):
        raise ProblemError(
            401, "A password, please", "This link has a password. Send it by POST to the address of the link.",
            kind="share-password", headers={"WWW-Authenticate": "Imager-Share"},
        )  # fmt: skip
    asker = Asker(Principal(share.member), "link", frozenset({"read"}), share.id)
    request.scope["imager_asker"] = asker
    return Visit(share, asker)


async def link(request: Request, token: str) -> Share:
    """The link itself, before its password: 404 for one that opens nothing (more), whatever the reason."""
    share = await state.of(request).desks.owner("door", lambda library: shares.opened(library.catalog, token))
    if share is None:
        raise gone()
    return share


async def open_with_password(request: Request, token: str, password: str, response: Response) -> None:
    """Let in whoever knows the password of a link: sets the cookie. 401 for a wrong one, 429 after several."""
    share = await link(request, token)
    if share.password is None:
        return
    limits = state.of(request).limits
    address = network(request.client.host if request.client is not None else "")
    who = f"{share.id} {address}"
    limits.take("share", share.id, burst=BURST_LINK, per_minute=PER_MINUTE_LINK)
    limits.take("share", who, burst=BURST, per_minute=PER_MINUTE)
    if not await to_thread.run_sync(passwords.right, share.password, password, limiter=_AT_ONCE):
        raise ProblemError(401, "Wrong password", "That is not the password of this link.", kind="share-password")
    limits.give_back("share", share.id, burst=BURST_LINK)
    limits.give_back("share", who, burst=BURST)
    until = int(time.time()) + LASTS
    response.set_cookie(
        cookie_name(request, share),
        f"{until}.{_signed(share, until)}",
        max_age=LASTS,
        path=state.of(request).settings.base_path or "/",
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="lax",
    )


def cookie_name(request: Request, share: Share) -> str:
    """What the cookie of a link is called here."""
    secure = request.scope["scheme"] == "https"
    return f"{'__Secure-' if secure else ''}imager-share-{share.id}"


def gone() -> ProblemError:
    """The one answer for links that open nothing."""
    return ProblemError(404, "Not found", "This link does not exist, or it has ended.", kind="share-gone")


def _is_known(request: Request, share: Share) -> bool:
    until, _, signature = request.cookies.get(cookie_name(request, share), "").partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 15) or int(until) < time.time():
        return False
    return hmac.compare_digest(signature.encode(), _signed(share, int(until)).encode())


def _signed(share: Share, until: int) -> str:
    bound = f"{share.id}\n{until}\n{share.password}".encode()
    return hmac.new(_SECRET, bound, hashlib.sha256).hexdigest()
