"""Coming in by a one-time link, and the page that one finds at the top.

A link works once, for ten minutes. Followed from a terminal it opens at once; from another site's page, where there are
several members, only after a click: nobody is to be signed in as somebody else without noticing.
"""

from __future__ import annotations

import html
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from imager.library import Library
from imager.server import asking, problems
from imager.server import state as states
from imager.server.asking import public
from imager.server.auth import accounts, sessions
from imager.server.problems import documented
from imager.server.routes.session import address_of, begun
from imager.server.state import State

router = APIRouter(tags=["Session"], dependencies=[public()])

Holds = Annotated[State, Depends(states.of)]
Token = Annotated[str, Query(min_length=20, max_length=100, description="Of the link.")]

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Imager</title>
</head>
<body>
<main>
<h1>Imager</h1>
{body}
</main>
</body>
</html>
"""


@router.get("/open", response_class=HTMLResponse, responses={303: {"description": "Signed in"}, **documented(401, 429)})
async def open_link(request: Request, token: Token, state: Holds) -> Response:
    """Follow a one-time link: a session begins, and the browser goes on to the start page."""
    elsewhere = request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    if elsewhere and await state.desks.owner("door", lambda library: accounts.has_passwords(library.catalog)):
        return _page(
            f'<form method="post"><input type="hidden" name="token" value="{html.escape(token)}">'
            "<button>Sign in to this library</button></form>"
        )
    return await _open(request, token, state)


@router.post(
    "/open",
    response_class=HTMLResponse,
    status_code=303,
    responses={303: {"description": "Signed in"}, **documented(401, 403, 429)},
)
async def confirm_link(
    request: Request, token: Annotated[str, Form(min_length=20, max_length=100)], state: Holds
) -> Response:
    """The same, by a click on the page that `GET /open` shows who comes from another site."""
    return await _open(request, token, state)


@router.get("/", include_in_schema=False)
async def start(request: Request, state: Holds) -> HTMLResponse:
    """What one finds at the top."""
    asker = await asking.of(request)
    api = html.escape(f"{state.settings.base_path}/api/v1/openapi.json")
    who = f"You are signed in as {html.escape(asker.member)}." if asker is not None else "You are not signed in."
    return _page(f'<p>{who}</p>\n<p>Programs find the interface described in <a href="{api}">openapi.json</a>.</p>')


async def _open(request: Request, token: str, state: State) -> Response:
    state.limits.take("open", address_of(request), burst=10, per_minute=10)

    def take(library: Library) -> str | None:
        member = sessions.take(library.catalog, token)
        if member is None:
            return None
        agent = request.headers.get("user-agent", "")
        return sessions.begin(library.catalog, member, days=state.settings.session_days, agent=agent)

    session = await state.desks.owner("write", take)
    if session is None:
        raise problems.ProblemError(
            401,
            "Not a link any more",
            "The link was used, or is older than ten minutes. Ask for another.",
            kind="link",
        )
    response = RedirectResponse(f"{state.settings.base_path}/", 303)
    await begun(request, response, state, session)
    return response


def _page(body: str) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(body=body))
