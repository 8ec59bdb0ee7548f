"""The description of the interface: OpenAPI 3.1, complete with who may ask and what can go wrong."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

import imager
from imager.server import problems
from imager.server.asking import Need, Public

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
_SUMMARY = "The image library: every picture you own, findable in your own words."
_SCHEMES: Final = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "imager",
        "description": "Of who signed in. Over TLS it is called `__Host-imager` (`__Secure-imager` below a base path), "
        "without `imager-PORT`. What changes something also takes `Origin`, `Sec-Fetch-Site` or `X-Imager: 1`.",
    },
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, `imager_…`. It has scopes."},
}


def need_of(route: APIRoute) -> Need | Public | None:
    """What a route says that it needs; None: nothing, which is a mistake."""
    found = [d.call for d in route.dependant.dependencies if isinstance(d.call, Need | Public)]
    return found[0] if len(found) == 1 else None


def describe(app: FastAPI) -> dict[str, Any]:
    """The description of an app, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return app.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    base = app.state.imager.settings.base_path
    found = get_openapi(
        title="Imager",
        version=imager.__version__,
        openapi_version="3.1.0",
        summary=_SUMMARY,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
        servers=[{"url": base or "/"}],
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    components["securitySchemes"] = _SCHEMES
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                if method.lower() in _METHODS:
                    _complete(found["paths"][route.path_format][method.lower()], need_of(route))
    return found


def _complete(operation: dict[str, Any], need: Need | Public | None) -> None:
    answers = operation.setdefault("responses", {})
    if "HTTPValidationError" in str(answers.get("422", "")):
        del answers["422"]
    wanted = [422] if operation.get("parameters") or operation.get("requestBody") else []
    if isinstance(need, Need):
        wanted += [401, 403]
        operation["security"] = [{"session": []}] + ([] if need.session else [{"key": []}])
        operation["x-scope"] = need.scope
        if need.role is not None:
            operation["x-role"] = need.role
    else:
        operation["security"] = []
    for status, answer in problems.documented(*wanted).items():
        answers.setdefault(str(status), answer)
    answers.setdefault("default", problems.otherwise())
