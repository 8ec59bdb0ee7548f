"""`docs/query.schema.json` says of JSON what the codec says. Checked by the few words of JSON Schema that it uses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from imager.errors import UsageError
from imager.query import codec, model
from imager.query.codec import from_json, to_json
from imager.query.model import Query
from tests.query import strategies

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "query.schema.json").read_text(encoding="utf-8"))
TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "boolean": bool, "number": (int, float)}
KNOWN = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "properties", "additionalProperties", "required"),
    *("minProperties", "dependentRequired", "oneOf", "items", "const", "enum", "pattern", "minimum", "maximum"),
    *("minLength", "maxLength"),
}


def is_valid(value: Any, schema: dict[str, Any] = SCHEMA) -> bool:
    """Whether the schema takes the value."""
    assert schema.keys() <= KNOWN, schema.keys() - KNOWN
    if "$ref" in schema:
        return is_valid(value, SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")])
    kind = schema.get("type")
    if kind == "integer":
        kind = "number" if type(value) is int else "integer"
    if kind and (not isinstance(value, TYPES.get(kind, ())) or (kind == "number" and isinstance(value, bool))):
        return False
    if ("const" in schema and value != schema["const"]) or ("enum" in schema and value not in schema["enum"]):
        return False
    if isinstance(value, str):
        return (
            schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
            and re.search(schema.get("pattern", ""), value) is not None
        )
    if isinstance(value, dict):
        return _is_object(value, schema)
    if isinstance(value, list):
        return all(is_valid(item, schema.get("items", {})) for item in value)
    if isinstance(value, (int, float)):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _is_object(value: dict[str, Any], schema: dict[str, Any]) -> bool:
    properties = schema.get("properties", {})
    if "oneOf" in schema and sum(is_valid(value, one) for one in schema["oneOf"]) != 1:
        return False
    return (
        len(value) >= schema.get("minProperties", 0)
        and all(key in value for key in schema.get("required", ()))
        and all(value.keys() >= set(schema.get("dependentRequired", {}).get(key, ())) for key in value)
        and (schema.get("additionalProperties", True) or value.keys() <= properties.keys())
        and all(is_valid(value[key], properties[key]) for key in value if key in properties)
    )


@given(strategies.queries)
def test_the_schema_takes_every_query(query: Query) -> None:
    assert is_valid(json.loads(json.dumps(to_json(query))))


@pytest.mark.parametrize(
    "value",
    [
        3,
        {"wehre": {}},
        {"version": 2},
        {"sort": "best"},
        {"where": {}},
        {"where": {"txet": "x"}},
        {"where": {"text": "a", "tag": "b"}},
        {"where": {"text": ""}},
        {"where": {"text": "a" * 1001}},
        {"where": {"text": "a", "field": "titel"}},
        {"where": {"text": "a", "children": True}},
        {"where": {"all": {"text": "a"}}},
        {"where": {"all": [{"text": 3}]}},
        {"where": {"date": {}}},
        {"where": {"date": {"from": "yesterday"}}},
        {"where": {"on": {"day": 3}}},
        {"where": {"on": {"month": 13}}},
        {"where": {"on": {"month": 1.5}}},
        {"where": {"rating": {"min": 6}}},
        {"where": {"iso": {"min": True}}},
        {"where": {"iso": {"min": -1}}},
        {"where": {"colour": "blurple"}},
        {"where": {"near": {"latitude": 1, "longitude": 2}}},
        {"where": {"state": "gone"}},
    ],
)
def test_the_schema_refuses_what_the_codec_refuses(value: Any) -> None:
    assert not is_valid(value)
    with pytest.raises(UsageError):
        from_json(value)


def test_the_schema_has_the_choices_of_the_codec() -> None:
    condition = SCHEMA["$defs"]["condition"]["properties"]
    assert condition["has"]["enum"] == list(codec.HAS)
    assert condition["match"]["enum"] == list(codec.MATCHES)
    assert condition["field"]["enum"] == list(model.TEXT_FIELDS)
    assert condition["shape"]["enum"] == list(codec.SHAPES)
    assert condition["state"]["enum"] == list(codec.STATES)
    assert SCHEMA["properties"]["sort"]["enum"] == list(model.SORTS)
    assert SCHEMA["properties"]["version"]["const"] == model.VERSION
    assert condition["near"]["properties"]["km"]["maximum"] == codec.FARTHEST
    for colour in model.COLOURS:
        assert is_valid({"where": {"colour": colour}})
    assert {*codec.NAMED, *codec.MEASURES} <= condition.keys()
