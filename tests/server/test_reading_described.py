"""The description of what can be read: every answer has its model, an example that fits it, and its errors."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest
from pydantic import BaseModel

from tests.server.conftest import Client

GROUPS = ("assets", "search", "timeline", "map", "stats", "graphql")
READ = {
    "/api/v1/assets/{id}": (200, 304, 401, 403, 404),
    "/api/v1/assets/{id}/history": (200, 304, 401, 403, 404),
    "/api/v1/assets/{id}/thumbnail": (200, 304, 401, 403, 404, 422),
    "/api/v1/assets/{id}/preview": (200, 304, 401, 403, 404, 422),
    "/api/v1/assets/{id}/original": (200, 206, 304, 401, 403, 404, 416, 422),
    "/api/v1/search": (200, 304, 401, 403, 422),
    "/api/v1/search/complete": (200, 401, 403, 422),
    "/api/v1/timeline/months": (200, 304, 401, 403, 422),
    "/api/v1/timeline/days": (200, 304, 401, 403, 422),
    "/api/v1/timeline/years": (200, 304, 401, 403, 422),
    "/api/v1/timeline/versions": (200, 304, 401, 403, 422),
    "/api/v1/timeline/page": (200, 304, 401, 403, 422),
    "/api/v1/timeline/skeleton": (200, 304, 401, 403, 422),
    "/api/v1/timeline/chunk/{month}/{number}/{version}": (200, 401, 403, 404, 410, 422),
    "/api/v1/map/clusters": (200, 304, 401, 403, 422),
    "/api/v1/stats": (200, 304, 401, 403),
    "/api/v1/graphql/schema": (200, 401, 403),
}


@pytest.fixture
def described(client: Client) -> Any:
    return client(None).get("/api/v1/openapi.json").json()


def test_every_error_of_what_can_be_read_is_described(described: Any) -> None:
    for path, statuses in READ.items():
        answers = described["paths"][path]["get"]["responses"]
        assert {str(status) for status in statuses} <= answers.keys(), path
        for status, answer in answers.items():
            if status.isdigit() and int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (path, status)
        assert described["paths"][path]["get"]["x-scope"] == "read"


def test_pictures_and_pieces_are_described_as_bytes(described: Any) -> None:
    for what, kind in (("thumbnail", "image/jpeg"), ("preview", "image/jpeg"), ("original", "image/*")):
        content = described["paths"][f"/api/v1/assets/{{id}}/{what}"]["get"]["responses"]["200"]["content"]
        assert content == {kind: {"schema": {"type": "string", "format": "binary"}}}
    for what in ("skeleton", "chunk/{month}/{number}/{version}"):
        content = described["paths"][f"/api/v1/timeline/{what}"]["get"]["responses"]["200"]["content"]
        assert list(content) == ["application/octet-stream"]


def test_examples_are_such_as_they_describe(described: Any) -> None:
    checked = 0
    for group in GROUPS:
        module = importlib.import_module(f"imager.server.schemas.{group}")
        for name, model in inspect.getmembers(module, inspect.isclass):
            if issubclass(model, BaseModel) and model.__module__ == module.__name__:
                for example in model.model_json_schema().get("examples", ()):
                    model.model_validate(example, extra="forbid")
                    assert described["components"]["schemas"][name]["examples"]
                    checked += 1
    assert checked >= 15
