"""What is an answer checked with? A validator that is not ours, and schemas that any model can finish."""

import json
from typing import Any

import jsonschema

VALIDATOR = jsonschema.Draft202012Validator

# Texts are bounded, so that no answer runs into the end of the context.
WORD = {"type": "string", "pattern": "^[A-Z][a-z]{1,11}$"}

PERSON = {
    "type": "object",
    "properties": {"name": WORD, "age": {"type": "integer", "minimum": 0, "maximum": 120}, "born": {"type": "string", "format": "date"}},
    "required": ["name", "age", "born"],
    "additionalProperties": False,
}

ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "state": {"enum": ["open", "paid", "sent", None]},
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "items": {
                "type": "object",
                "properties": {"product": WORD, "price": {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1000}, {"type": "null"}]}},
                "required": ["product", "price"],
                "additionalProperties": False,
            },
        },
        "buyer": {"$ref": "#/$defs/person"},
    },
    "required": ["id", "state", "items", "buyer"],
    "additionalProperties": False,
    "$defs": {"person": PERSON},
}

FLAGS = {
    "type": "object",
    "properties": {
        "answer": {"type": "boolean"},
        "why": {"type": "string", "enum": ["yes, \"of course\"", "no\n", "straße ☃"]},
        "share": {"type": "number", "multipleOf": 0.25, "minimum": 0, "maximum": 1},
    },
    "required": ["answer", "why", "share"],
    "additionalProperties": False,
}

SCHEMAS = {"person": PERSON, "order": ORDER, "flags": FLAGS}


def value_of(text: str, schema: Any = True) -> Any:
    """The value that a JSON text has, which must be valid by the schema, formats included."""
    value = json.loads(text)
    VALIDATOR(schema, format_checker=VALIDATOR.FORMAT_CHECKER).validate(value)
    return value


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]
