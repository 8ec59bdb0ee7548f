"""Every error is a problem detail (RFC 9457), documented, and tells nothing that it should not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from imager.errors import ForbiddenError, ImagerError, NotFoundError, StorageFullError, UsageError
from imager.query.error import QueryError
from imager.server import problems
from tests.server.client import Served
from tests.server.conftest import Client

HIDDEN = "/srv/pictures/Anna.jpg"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFoundError("There is no picture x."), 404, "not-found"),
        (ForbiddenError("You may look at it."), 403, "forbidden"),
        (UsageError("That is no rating."), 422, "usage"),
        (StorageFullError("The disk is full."), 507, "storage-full"),
        (QueryError("What is that?", "colour:grue", 7, 11), 422, "query"),
        (ImagerError(f"{HIDDEN} is damaged."), 500, "fault"),
        (OSError(5, "broken", HIDDEN), 500, "fault"),
        (ZeroDivisionError(HIDDEN), 500, "fault"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_status_and_faults_say_nothing_of_the_disk(error: Exception, status: int, kind: str) -> None:
    problem = problems.of(error)
    assert (problem.status, problem.kind) == (status, kind)
    body = bytes(problems.response(problem, "1f").body)
    assert HIDDEN.encode() not in body
    said = json.loads(body)
    assert said["type"] == f"/problems/{kind}"
    assert said["status"] == status
    assert said["request"] == "1f"
    assert (said["detail"] == str(error)) is (status not in (500,) and kind != "query")


def test_a_mistake_in_a_query_is_shown_by_its_place() -> None:
    problem = problems.of(QueryError("What is that?", "colour:grue", 7, 11))
    assert (problem.detail, problem.more) == ("What is that?", {"query": "colour:grue", "start": 7, "end": 11})


@pytest.mark.parametrize(
    ("method", "path", "content", "kind", "status", "problem"),
    [
        ("GET", "/nothing/here", b"", "", 404, "not-found"),
        ("GET", "/api/v1/../../etc/passwd", b"", "", 404, "not-found"),
        ("TRACE", "/api/v1/session", b"", "", 405, "method"),
        ("PUT", "/api/v1/session", b"{}", "application/json", 405, "method"),
        ("POST", "/api/v1/session", b"{", "application/json", 400, "malformed"),
        ("POST", "/api/v1/session", b"\xff\xfe", "application/json", 400, "malformed"),
        ("POST", "/api/v1/session", b"[" * 5_000, "application/json", 400, "malformed"),
        ("POST", "/api/v1/session", b'{"member": NaN}', "application/json", 422, "invalid"),
        ("POST", "/api/v1/session", b"member=ed&password=x", "application/x-www-form-urlencoded", 422, "invalid"),
        ("POST", "/api/v1/session", b"", "", 422, "invalid"),
    ],
)
def test_whatever_is_asked_the_answer_is_a_problem(
    client: Client, method: str, path: str, content: bytes, kind: str, status: int, problem: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = client("owner").request(method, path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    if status == 405:
        assert answer.headers["allow"]


def _operations(served: Served, client: Client) -> list[tuple[str, str, dict[str, Any]]]:
    document = client(None).get("/api/v1/openapi.json").json()
    return [(m, p, o) for p, methods in document["paths"].items() for m, o in methods.items()]


def test_the_description_names_what_every_operation_takes_and_can_answer(client: Client, served: Served) -> None:
    document = client(None).get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"session", "key"} <= set(document["components"]["securitySchemes"])
    names = []
    for method, path, operation in _operations(served, client):
        where = f"{method} {path}"
        names.append(operation["operationId"])
        assert operation["summary"], where
        assert operation["description"], where
        assert operation["tags"], where
        assert "security" in operation, where
        if operation["security"]:
            assert {"401", "403"} <= set(operation["responses"]), where
        assert "default" in operation["responses"], where
        assert "HTTPValidationError" not in json.dumps(operation), where
    assert len(set(names)) == len(names)


def test_all_that_the_description_refers_to_is_in_it(client: Client) -> None:
    document = client(None).get("/api/v1/openapi.json").json()
    text = json.dumps(document)
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.split('"')[0] in document["components"]["schemas"]
