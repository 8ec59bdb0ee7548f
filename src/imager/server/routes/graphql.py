"""Reading by GraphQL."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from imager.server import graphql
from imager.server.answers import json_answer
from imager.server.asked import AtDesks, Reader
from imager.server.problems import documented, of_status
from imager.server.schemas.graphql import GraphqlAnswer, GraphqlRequest

router = APIRouter(prefix="/api/v1/graphql", tags=["GraphQL"])

_SCHEMA: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The schema", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.post("", response_model=GraphqlAnswer, responses=documented(400, 401, 403, 415, 422))
async def execute(request: Request, body: GraphqlRequest, asker: Reader, desks: AtDesks) -> Response:
    """What a document asks for; what goes wrong is told within the answer, as GraphQL does.

    It is read only, costs are limited, and a document comes as JSON and in no other form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise of_status(415, "A GraphQL document comes as JSON: 'Content-Type: application/json'.")
    answer = await graphql.execute(asker, desks, body.query, variables=body.variables, operation=body.operation_name)
    return json_answer({"data": answer.data} | ({"errors": answer.errors} if answer.errors else {}))


@router.get("/schema", response_class=PlainTextResponse, responses=documented(401, 403) | _SCHEMA)
async def schema(asker: Reader) -> Response:  # noqa: ARG001 - somebody must ask
    """What can be asked for, in GraphQL's own language."""
    return PlainTextResponse(graphql.printed(), headers={"Cache-Control": "private, no-cache"})
