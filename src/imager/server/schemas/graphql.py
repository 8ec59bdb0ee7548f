"""A request in GraphQL, and its answer."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from imager.server.graphql.limits import LONGEST


class GraphqlRequest(BaseModel):
    """A document, and what its variables stand for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "query": "query Find($q: String!) { search(q: $q, limit: 10) { total hits { id v title } } }",
                    "variables": {"q": "camera:fuji last summer"},
                }
            ]
        }
    )

    query: str = Field(max_length=LONGEST)
    variables: dict[str, Any] | None = None
    operation_name: str | None = Field(default=None, alias="operationName", max_length=200)


class GraphqlError(BaseModel):
    """What went wrong; `extensions` has `type` and `status` of the problem, where a field met one."""

    message: str
    path: list[str | int] | None = None
    locations: list[dict[str, int]] | None = None
    extensions: dict[str, Any] | None = None


class GraphqlAnswer(BaseModel):
    """What was asked for, and what went wrong."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": {"search": {"total": 0, "hits": []}}}]})

    data: dict[str, Any] | None
    errors: list[GraphqlError] | None = None
