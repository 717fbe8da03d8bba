"""A pydantic model described to a language model: one line a field, in the user's language.

describe(Order, language="en")
# Answer with one JSON object and nothing else. Its fields:
# - order_no (string, required): as printed on the invoice
# - items (array of objects, required)
#   - name (string, required)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from dialog.values import Language

MAX_DEPTH = 4
"""Objects nested deeper are named and not described; a model that contains itself has no end."""

_ASK = {
    "en": {
        "object": "Answer with one JSON object and nothing else. Its fields:",
        "array": "Answer with one JSON array and nothing else. Each element:",
        "again": "Your last answer could not be used: {problem}. Answer again, with the JSON only.",
        "required": "required",
    },
    "zh": {
        "object": "只回答一个 JSON 对象，不要有其他文字。字段如下：",
        "array": "只回答一个 JSON 数组，不要有其他文字。每个元素：",
        "again": "上一次的回答无法使用：{problem}。请重新回答，只写 JSON。",
        "required": "必填",
    },
}

Schema = dict[str, Any]


def describe(model: type[BaseModel], *, language: Language) -> str:
    """The instruction to answer as the model's JSON: field names, types and descriptions."""
    schema: Schema = model.model_json_schema()
    known: Schema = schema.get("$defs", {})
    top = _resolved(schema, known)
    words = _ASK.get(language, _ASK["en"])
    is_array = top.get("type") == "array"
    body = [f"- {_type(top['items'], known)}"] if is_array and "items" in top else []
    body += _lines(top.get("items", {}) if is_array else top, known, depth=int(is_array), words=words)
    return "\n".join([words["array" if is_array else "object"], *body])


def ask_again(problem: str, *, language: Language) -> str:
    """The instruction to mend an answer."""
    return _ASK.get(language, _ASK["en"])["again"].format(problem=problem)


def _lines(schema: Schema, known: Schema, *, depth: int, words: dict[str, str]) -> Iterator[str]:
    object_ = _resolved(schema, known)
    required = set(object_.get("required", ()))
    for name, field in object_.get("properties", {}).items():
        marks = [_type(field, known), *([words["required"]] if name in required else [])]
        about = field.get("description") or _resolved(field, known).get("description", "")
        line = f"{'  ' * depth}- {name} ({', '.join(marks)})"
        yield f"{line}: {' '.join(about.split())}" if about else line
        if depth + 1 < MAX_DEPTH:
            yield from _lines(_inner(field, known), known, depth=depth + 1, words=words)


def _inner(schema: Schema, known: Schema) -> Schema:
    """The object whose fields are described below a field: itself, its elements or its one alternative."""
    schema = _resolved(schema, known)
    if "items" in schema:
        return _resolved(schema["items"], known)
    alternatives = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return _inner(alternatives[0], known) if len(alternatives) == 1 else schema


def _type(schema: Schema, known: Schema) -> str:
    schema = _resolved(schema, known)
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return " | ".join(repr(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one, known) for one in schema["anyOf"]))
    kind = str(schema.get("type", "any"))
    if kind == "array" and "items" in schema:
        return f"array of {_type(schema['items'], known)}"
    bounds = [f"{sign} {schema[key]}" for key, sign in _BOUNDS if key in schema]
    return " ".join([schema.get("format", kind), *bounds])


_BOUNDS = (
    ("minimum", ">="),
    ("exclusiveMinimum", ">"),
    ("maximum", "<="),
    ("exclusiveMaximum", "<"),
    ("pattern", "like"),
)


def _resolved(schema: Schema, known: Schema) -> Schema:
    """The schema a reference stands for, with what is said beside the reference."""
    while "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**known.get(str(schema["$ref"]).rpartition("/")[2], {}), **rest}
    return schema
