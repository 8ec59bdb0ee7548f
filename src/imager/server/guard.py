"""The guard: what every request passes before anything else, and every answer on its way out.

In: a name under which nobody should know this server (DNS rebinding), requests that another site makes a browser send,
bodies without end, paths below the base path. Out: headers that keep answers out of frames, other sites and caches;
the number of the request; what is logged and counted, which is never more than which route was asked.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imager.server import problems
from imager.server.auth.tokens import new_id
from imager.server.settings import Settings, is_address, is_loopback
from imager.server.state import State

log = logging.getLogger("imager.server.requests")

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Of answers that are data: nothing in them is run or loaded, whatever they contain."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""Of pages: only what this server itself serves, nothing that stands within the page."""

BODY_LIMITS: dict[str, int | None] = {"/api/v1/uploads": None, "/api/v1/batch": 4 << 20}
"""Bytes that bodies may have below a path, where not as the settings say; None: its routes count for themselves."""

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """The outermost of our own middleware, as ASGI has it."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state
        self._hosts = _hosts(state.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(self._state, scope, receive, send)
        try:
            if (problem := self._objection(scope)) is not None:
                await problems.response(problem, passage.id)(scope, receive, passage.send)
            else:
                below = {**scope, "imager_request": passage.id}
                passage.scope = below
                _enter(below, self._state.settings.base_path)
                await self._app(below, passage.receive, passage.send)
        except asyncio.CancelledError:  # the server ends, and this took too long
            await passage.broken_off()
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody outside learns of it
            await passage.failed(error)
        finally:
            passage.done()

    def _objection(self, scope: Scope) -> problems.ProblemError | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        name = _name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            return problems.of_status(400, "A request names one host.")
        if not self._known(name):
            return problems.of_status(
                421, f"This server is not known as '{name[:100]}'. 'imager serve --allow-host NAME' makes it so."
            )
        if (
            scope["method"] not in SAFE
            and "authorization" not in headers
            and not _same_origin(scope, headers, hosts[0])
        ):
            return problems.ProblemError(
                403,
                "From another site",
                "Another site may not do that in your name. Programs that sign in with a cookie send 'X-Imager: 1'.",
                kind="cross-site",
            )
        limit = _limit(scope["path"], self._state.settings)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return problems.of_status(400)
        if limit is not None and int(length) > limit:
            return problems.of_status(413)
        return None

    def _known(self, name: str) -> bool:
        if name in self._hosts or is_loopback(name):
            return True
        # No name server was asked for an address, so nobody can have lied about it.
        return is_address(name) and not is_loopback(self._state.settings.host)


class _Passage:
    """One request on its way in, and its answer on the way out."""

    def __init__(self, state: State, scope: Scope, receive: Receive, send: Send) -> None:
        self.id = new_id()
        self.scope = scope
        self._state = state
        self._receive, self._send = receive, send
        self._limit = _limit(scope["path"], state.settings)
        self._began = time.perf_counter()
        self._received = 0
        self._sent = 0
        self._status = 0
        self._too_large = False
        self._started = False

    async def receive(self) -> Message:
        """The next piece of the body; of one that is too large, no more than that who sends it went away."""
        message = await self._receive()
        if message["type"] == "http.request" and self._limit is not None:
            self._received += len(message.get("body", b""))
            if self._received > self._limit:
                self._too_large = True
                return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on, with what every answer has."""
        if self._too_large and not self._started and message["type"] == "http.response.start":
            await self._answer(problems.of_status(413))
        if self._too_large and self._started and self._status == 413:
            return
        if message["type"] == "http.response.start":
            self._started = True
            self._status = message["status"]
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            page = headers.get("content-type", "").startswith("text/html")
            headers.setdefault("Content-Security-Policy", PAGE_POLICY if page else POLICY)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self.scope["scheme"] == "https":
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            headers["X-Request-Id"] = self.id
        elif message["type"] == "http.response.body":
            self._sent += len(message.get("body", b""))
        await self._send(message)

    async def failed(self, error: Exception) -> None:
        """Log a fault, and answer if there is no answer yet."""
        if not self._too_large:
            log.error("fault", extra={"imager": {"request": self.id, "route": self._route()}}, exc_info=error)
        if not self._started:
            await self._answer(problems.of_status(413 if self._too_large else 500))

    async def broken_off(self) -> None:
        """Answer who still sends or waits when the server ends; what was begun to be answered stays as it is."""
        if self._started:
            raise asyncio.CancelledError
        await self._answer(problems.of_status(503, "The server is about to stop.", headers={"Retry-After": "5"}))

    def done(self) -> None:
        """Count and log the request."""
        seconds = time.perf_counter() - self._began
        route = self._route()
        self._state.metrics.request(self.scope["method"], route, self._status, seconds)
        said: dict[str, Any] = {
            "request": self.id,
            "method": self.scope["method"],
            "route": route,
            "status": self._status,
            "ms": round(seconds * 1_000, 1),
            "bytes": self._sent,
        }
        asker = self.scope.get("imager_asker")
        if asker is not None:
            said["asker"] = f"{asker.kind}:{asker.id}"
        log.info("request", extra={"imager": said})

    def _route(self) -> str:
        return str(getattr(self.scope.get("route"), "path", "")) or "(none)"

    async def _answer(self, problem: problems.ProblemError) -> None:
        answer = problems.response(problem, self.id)
        too_large, self._too_large = self._too_large, False
        await answer(self.scope, self._receive, self.send)
        self._too_large = too_large


def _enter(scope: Scope, base: str) -> None:
    """Make the path below the base path what routes see, whether a proxy took the base path away or not."""
    if not base:
        return
    path = scope["path"]
    scope["root_path"] = base
    scope["path"] = path if path == base or path.startswith(base + "/") else base + path


def _hosts(settings: Settings) -> frozenset[str]:
    return frozenset(name for host in (settings.host, *settings.hosts) if (name := _name(host)) is not None)


def _name(host: str) -> str | None:
    """The name or address in a Host header, without the port, as it is compared; None: it makes no sense."""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return None
    if not name or any(c in host for c in "/\\?#@ \t"):
        return None
    return name.rstrip(".").casefold()


def _same_origin(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether no other site made a browser send this. Programs that are no browser say so, if they send a cookie."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is not None:
        said = urlsplit(origin) if origin != "null" else None
        return said is not None and said.netloc == host and said.scheme in (scope["scheme"], "https")
    return "cookie" not in headers or "x-imager" in headers


def _limit(path: str, settings: Settings) -> int | None:
    path = path.removeprefix(settings.base_path)
    for start, limit in BODY_LIMITS.items():
        if path == start or path.startswith(start + "/"):
            return limit
    return settings.body_limit
