"""The app: puts routes, guard and problems together, and lets desks and events begin and end with the server."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType

from fastapi import FastAPI
from fastapi.routing import APIRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

import imager
from imager.errors import ImagerError
from imager.server import problems
from imager.server.auth.door import Door
from imager.server.desks import Desks
from imager.server.events import Events
from imager.server.guard import Guard
from imager.server.routes import ROUTERS
from imager.server.settings import Settings
from imager.server.state import State


def create_app(settings: Settings) -> FastAPI:
    """The app that serves a library, which must exist. Desks begin when it is first asked, and end with its lifespan.

    A module of routes may have `lifespan(state)`, an asynchronous context manager: it is entered when the server
    begins and left when it ends, before the desks do.
    """
    desks = Desks(settings.library, now=settings.now)
    state = State(
        settings=settings,
        desks=desks,
        events=Events(settings.now),
        door=Door(desks, days=settings.session_days),
    )
    modules = [importlib.import_module(f"imager.server.routes.{name}") for name in ROUTERS]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, desks.stop)
            try:
                await state.events.start(desks)
                stack.push_async_callback(state.events.stop)
                for module in modules:
                    if hasattr(module, "lifespan"):
                        await stack.enter_async_context(module.lifespan(state))
            except ImagerError as error:
                state.failure = str(error)
                raise
            yield

    app = FastAPI(
        title="Imager",
        version=imager.__version__,
        openapi_url=None,  # our own, see routes/description.py
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # such redirects would repeat what a client said about the host
        lifespan=lifespan,
    )
    app.state.imager = state
    problems.install(app)
    for module in modules:
        _include(app, module)
    app.add_middleware(Guard, state=state)
    if settings.proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(proxy) for proxy in settings.proxies])
    return app


def _include(app: FastAPI, module: ModuleType) -> None:
    group = module.__name__.rpartition(".")[2]
    for route in module.router.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.operation_id or f"{group}_{route.name}"
            route.status_code = route.status_code or 200  # what the description of a plain response does not find out
        app.router.routes.append(route)
