"""Replies for a program: asked for as JSON of a pydantic model, read leniently, judged strictly.

What a model writes may be wrapped in words or a code fence; the first balanced
JSON value of the right kind that stands in it is validated. Nothing here asks
a model: `dialog.filling` does, `DialogAgent.reply_as` is the call.

    read_as(Order, 'Sure:\\n```json\\n{"order_no": "MK-10482"}\\n```')     # an Order
    read_as(Order, "I don't know")                                       # raises NotInShape
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from dialog.actions import problems_of
from dialog.values import Reply

T = TypeVar("T", bound=BaseModel)

_OPENING = re.compile(r"[{\[]")
_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\]]', re.DOTALL)
"""Inside of a bracket: a whole string, or a bracket that counts."""
_ATTEMPT = re.compile(r"attempt \d+ of \d+: (?P<problem>.*)", re.DOTALL)


class NotInShape(ValueError):
    """A text holds no value of the model asked for; the message says why, for the model to read."""


@dataclass(frozen=True)
class Form:
    """What a reply must be: of this model, asked for at most `retries` times more, else `fallback`."""

    model: type[BaseModel]
    retries: int = 2
    fallback: BaseModel | None = None

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries is {self.retries}; give 0 or more")


@dataclass(frozen=True)
class Structured(Generic[T]):
    """A reply's value, and how it came about.

    Attributes:
        value: None where no attempt fitted and no fallback was given.
        reply: the recorded reply; its text is the value as JSON, else the model's last words.
        attempts: how often the model was asked; 0 while a person has the conversation.
        problems: what was wrong with each attempt that failed, in order.
        is_fallback: the value is the caller's, not the model's.
    """

    value: T | None
    reply: Reply
    attempts: int
    problems: tuple[str, ...] = ()
    is_fallback: bool = False


def structured(model: type[T], reply: Reply) -> Structured[T]:
    """The structured view of a recorded reply; the same for the turn itself and for its repetition."""
    problems = tuple(problems_in(reply.notices))
    try:
        value = read_as(model, reply.text)
    except NotInShape as error:
        return Structured(None, reply, len(problems), problems or (str(error),))
    if reply.mode == "fixed":
        return Structured(value, reply, len(problems), problems, is_fallback=True)
    return Structured(value, reply, len(problems) + 1, problems)


def read_as(model: type[T], text: str) -> T:
    """The value in a text.

    Raises:
        NotInShape: there is none, or it does not fit the model.
    """
    opening = _opening(model)
    first: ValidationError | None = None
    for found in json_values(text, opening=opening):
        try:
            return model.model_validate_json(json.dumps(found))
        except ValidationError as error:
            first = first or error
    if first is not None:
        raise NotInShape(problems_of(first)) from first
    raise NotInShape("there is no complete JSON " + {"{": "object", "[": "array"}.get(opening, "value"))


def json_values(text: str, *, opening: str = "{[") -> Iterator[JsonValue]:
    """The JSON objects and arrays of a text whose first character is of `opening`, in order.

    What stands inside of another bracket is no value of its own: half an
    object must not pass for the whole.
    """
    at = 0
    while start := _OPENING.search(text, at):
        end = _end_of(text, start.start())
        if end is None:
            return
        at = end
        if start.group() in opening:
            try:
                yield json.loads(text[start.start() : end], strict=False)
            except (json.JSONDecodeError, RecursionError):
                continue


def _end_of(text: str, start: int) -> int | None:
    """Where the bracket at `start` is closed; None if it is not."""
    depth = 0
    for mark in _MARK.finditer(text, start):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(mark.group(), 0)
        if depth == 0:
            return mark.end()
    return None


def attempt_notice(number: int, form: Form, problem: str) -> str:
    """The notice of an attempt that failed; `problems_in` reads it back from the record."""
    return f"attempt {number} of {form.retries + 1}: {problem}"


def problems_in(notices: Iterable[str]) -> Iterator[str]:
    """The problems of the attempts that failed."""
    for notice in notices:
        if found := _ATTEMPT.fullmatch(notice):
            yield found["problem"]


def _opening(model: type[BaseModel]) -> str:
    """The brackets a value of the model may begin with."""
    kind = model.model_json_schema().get("type")
    return {"object": "{", "array": "["}.get(str(kind), "{[")
