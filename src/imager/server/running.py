"""A server as a process: checks whom it may serve, listens, says where, and ends politely when it is told to."""

from __future__ import annotations

import contextlib
import errno
import html
import os
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn

from imager.catalog import OWNER
from imager.errors import ImagerError
from imager.library import Library
from imager.server import logs
from imager.server.app import create_app
from imager.server.auth import accounts, passwords, sessions
from imager.server.settings import Settings
from imager.server.state import State

GRACE = 0.7
"""Seconds that requests have to end once the server is told to."""


def run(settings: Settings, *, told: Callable[[str, str | None], None], open_browser: bool) -> None:
    """Serve until SIGINT or SIGTERM. `told` is called with the address and the one-time link (or None) once it answers.

    ImagerError where the address can't be listened on, or would let others in while no owner has a password.
    """
    logs.begin(quiet=sys.stderr.isatty())
    check(settings)
    # So that not even the first who is no member waits longer for that answer than a member does.
    threading.Thread(target=passwords.right, args=(None, ""), daemon=True).start()
    with contextlib.closing(_listening(settings)) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        app = create_app(settings)
        with _Page() as page:

            def begun() -> None:
                link = link_of(settings)
                told(settings.address(), link)
                if open_browser and _has_browser():
                    place = page.leading_to(link or settings.address())
                    threading.Thread(target=webbrowser.open, args=(place,), daemon=True).start()

            config = uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=True,
                proxy_headers=False,  # the app's own, which knows which proxies
                ws="none",
                timeout_graceful_shutdown=GRACE,  # type: ignore[arg-type]  # seconds as `asyncio.wait_for` takes them
                timeout_keep_alive=30,
                ssl_certfile=settings.certificate,
                ssl_keyfile=settings.private_key,
            )
            server = _Server(config, app.state.imager, begun)
            server.run(sockets=[listener])
        if not server.started:
            reason = app.state.imager.failure or "what it logged above says why"
            raise ImagerError(f"The server could not begin: {reason}")


def check(settings: Settings) -> None:
    """Make sure that whoever can reach the server must sign in: beyond this computer, an owner needs a password."""
    with Library.open(settings.library, create=False) as library:
        if settings.loopback:
            accounts.ensure_owner(library.catalog)
        elif not accounts.owner_can_sign_in(library.catalog):
            raise ImagerError(
                "Others could reach this server, and no owner of the library has a password yet. Set one first: "
                "imager members password owner"
            )


def link_of(settings: Settings) -> str | None:
    """A link that signs in who started the server; None where people sign in with passwords."""
    with Library.open(settings.library, create=False) as library:
        if not settings.loopback or accounts.has_passwords(library.catalog):
            return None
        return settings.address(f"/open?token={sessions.offer(library.catalog, OWNER)}")


def _listening(settings: Settings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ImagerError(
                f"Something listens on port {port} of {host} already, another 'imager serve' perhaps. "
                "--port takes another."
            ) from None
        raise ImagerError(f"{host} port {port} can't be listened on: {error.strerror or error}.") from None
    return listener


class _Server(uvicorn.Server):
    """Uvicorn's, which tells when it answers, lets go of listeners first, and ends with status 0 when told to end."""

    def __init__(self, config: uvicorn.Config, state: State, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._imager = state
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, then say so."""
        await super().startup(sockets)
        if self.started:
            self._begun()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let those go who would stay for ever, then wait for the others."""
        self._imager.desks.stopping.set()
        self._imager.events.hang_up()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on a signal, without passing it on afterwards."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Page:
    """A file that leads a browser to a link: in its command line, all users of the computer could read the link."""

    def __init__(self) -> None:
        self._path: str | None = None

    def __enter__(self) -> _Page:
        return self

    def leading_to(self, address: str) -> str:
        file, self._path = tempfile.mkstemp(prefix="imager-", suffix=".html")  # for its user alone
        with os.fdopen(file, "w", encoding="utf-8") as page:
            page.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={html.escape(address)}">')
        return Path(self._path).as_uri()

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)


def _has_browser() -> bool:
    """Whether a browser can show itself; on Linux and alike, some would take over the terminal instead."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY"))
