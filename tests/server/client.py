"""A client without a network: httpx, with the app's own event loop in a thread beside the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from imager.server.state import State

T = TypeVar("T")
ADDRESS = "http://localhost"


class Served:
    """An app that is being served: its lifespan has begun, and lasts until `close`."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.state: State = app.state.imager
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self._lifespan = app.router.lifespan_context(app)
        self.run(self._lifespan.__aenter__())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the app's loop, from the test."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    def client(self, *, address: str = ADDRESS, peer: str = "127.0.0.1", **options: Any) -> httpx.Client:
        """A client of it; `peer`: the address that it seems to come from."""
        return httpx.Client(transport=_Transport(self, peer), base_url=address, **options)

    def close(self) -> None:
        """End the lifespan and the loop."""
        self.run(self._lifespan.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class _Transport(httpx.BaseTransport):
    """Hands requests to the app on its loop. Answers are read to their end: endless ones need the fixture `serve`."""

    def __init__(self, served: Served, peer: str) -> None:
        self._served = served
        self._inner = httpx.ASGITransport(served.app, client=(peer, 50_000))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        copy = httpx.Request(
            request.method, request.url, headers=request.headers.raw, content=body, extensions=request.extensions
        )
        return self._served.run(self._answer(copy))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        content = b"".join([piece async for piece in answer.stream])
        return httpx.Response(
            answer.status_code, headers=answer.headers, stream=httpx.ByteStream(content), extensions=answer.extensions
        )


def folder_of(served: Served) -> Path:
    """Where the library of an app lies."""
    return served.state.settings.library
