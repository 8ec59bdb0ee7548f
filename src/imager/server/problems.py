"""Problems: every error that leaves the server is a problem detail (RFC 9457), `application/problem+json`.

One table says which of Imager's own errors is which status; whatever is in none of them is a fault of ours, of which
nobody outside learns more than the number of the request under which it was logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from imager.errors import (
    ForbiddenError,
    ImagerError,
    NotFoundError,
    StorageFullError,
    TooLargeError,
    UnreadableError,
    UsageError,
)
from imager.query.error import QueryError

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """An error for whoever asked: a status, a short title, and what is wrong and to do, for people."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        kind: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        """`kind` names the problem for programs (`/problems/<kind>`); `more` are further members, as JSON."""
        super().__init__(f"{status} {kind}: {detail}")
        self.status, self.title, self.detail, self.kind = status, title, detail, kind
        self.headers = dict(headers or {})
        self.more = more


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not-found",
                    "title": "Not found",
                    "status": 404,
                    "detail": "There is no picture 0190b2 in the library.",
                }
            ]
        },
    )

    type: str = Field(description="Which problem it is, for programs.")
    title: str = Field(description="The same for people.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What is wrong just here, and what to do.")
    request: str | None = Field(default=None, description="The number of the request, under which it was logged.")


_OF_IMAGER: Final[tuple[tuple[type[ImagerError], int, str, str], ...]] = (
    (NotFoundError, 404, "Not found", "not-found"),
    (ForbiddenError, 403, "Not allowed", "forbidden"),
    (QueryError, 422, "The query can't be read", "query"),
    (UsageError, 422, "That makes no sense", "usage"),
    (StorageFullError, 507, "The disk is full", "storage-full"),
    (TooLargeError, 422, "Too large a picture", "unreadable"),
    (UnreadableError, 422, "Not readable as a picture", "unreadable"),
)
"""Status, title and kind of Imager's errors; the first that fits counts. What is not here is a fault of the server."""

_OF_STATUS: Final[dict[int, tuple[str, str]]] = {
    400: ("The request can't be read", "malformed"),
    401: ("Who asks?", "unauthenticated"),
    403: ("Not allowed", "forbidden"),
    404: ("Not found", "not-found"),
    405: ("Not done here", "method"),
    406: ("No such form", "not-acceptable"),
    409: ("Not as it was", "conflict"),
    410: ("Gone", "gone"),
    412: ("Not as it was", "precondition"),
    413: ("Too large", "too-large"),
    415: ("Not in this form", "media-type"),
    416: ("No such range", "range"),
    421: ("Not this host", "host"),
    422: ("That makes no sense", "invalid"),
    423: ("Locked", "locked"),
    429: ("Too often", "too-often"),
    500: ("A fault of the server", "fault"),
    503: ("Busy", "busy"),
    507: ("The disk is full", "storage-full"),
}
"""Title and kind for a status that says no more."""

_DETAILS: Final[dict[int, str]] = {
    400: "The request can't be read.",
    401: "Sign in, or send an API key: 'Authorization: Bearer imager_…'.",
    404: "There is nothing at this address.",
    405: "What is at this address can't be asked that way.",
    413: "The request is larger than the server takes.",
    500: "Something went wrong within the server; it was logged under the number of this request.",
}


def of(error: Exception) -> ProblemError:
    """The problem that an error is, for whoever asked."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, RequestValidationError):
        # Without what was sent: it may be a password.
        errors = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
        if any(e["type"] == "json_invalid" for e in errors):
            return of_status(400, "The body is no JSON.")
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors[:5])
        return of_status(422, said or "The request makes no sense.", errors=errors[:50])
    if isinstance(error, HTTPException):
        detail = _DETAILS.get(error.status_code)
        return of_status(error.status_code, detail or str(error.detail), headers=error.headers)
    for known, status, title, kind in _OF_IMAGER:
        if isinstance(error, known):
            if isinstance(error, QueryError):
                return ProblemError(
                    status, title, error.reason, kind=kind, query=error.text, start=error.start, end=error.end
                )
            return ProblemError(status, title, str(error), kind=kind)
    return of_status(500)


def of_status(
    status: int, detail: str | None = None, *, headers: Mapping[str, str] | None = None, **more: Any
) -> ProblemError:
    """The plain problem of a status."""
    title, kind = _OF_STATUS.get(status, ("Not possible", "other"))
    return ProblemError(status, title, detail or _DETAILS.get(status, title), kind=kind, headers=headers, **more)


def response(error: ProblemError, request_id: str | None = None) -> JSONResponse:
    """The answer that tells of a problem."""
    body = error.more | {
        "type": f"/problems/{error.kind}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if request_id is not None:
        body["request"] = request_id
    headers = {"Cache-Control": "no-store"} | error.headers
    return JSONResponse(body, error.status, headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's `responses=` says of the problems that it may answer with."""
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        title, kind = _OF_STATUS[status]
        example = {"type": f"/problems/{kind}", "title": title, "status": status}
        example["detail"] = _DETAILS.get(status, title + ".")
        found[status] = {
            "description": title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
        }
    return found


def otherwise() -> dict[str, Any]:
    """What the description says of the answers that any route may give: too large, too often, busy, a fault."""
    return {
        "description": "Any other problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def install(app: FastAPI) -> None:
    """Answer every error of an app with a problem. What none of these is gets its answer from the guard."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        return response(of(error), request.scope.get("imager_request"))

    for kind in (ProblemError, HTTPException, RequestValidationError, *(known for known, *_ in _OF_IMAGER)):
        app.add_exception_handler(kind, answer)
