"""The description of the interface, for programs that make clients of it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from imager.server.asking import public
from imager.server.description import describe

router = APIRouter(prefix="/api/v1", tags=["About"], dependencies=[public()])


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI 3.1 description of this interface."""
    document: dict[str, Any] = describe(request.app)
    return JSONResponse(document, headers={"Cache-Control": "no-cache"})
