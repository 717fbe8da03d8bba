"""ShareGPT, one conversation a line; a tool call is a turn `function_call`, its result an `observation`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from corpora.formats import BadRecord
from corpora.writers.written import JsonWriter, Writer, message_fields, plain
from dialog.values import Message, Transcript

_SPEAKERS = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}
_BESIDES = ("name", "time", "tool_call_id", "loss", "weight")


def writer(name: str, bare: bool) -> Writer:
    """With `bare`, turns are `from` and `value` alone."""
    loses = ("ids of tool calls", *(("id", "tags", "state", "meta", "time", "loss") if bare else ()))
    return JsonWriter(name=name, make=_record, own=("conversations", "system"), bare=bare, loses=loses)


def _record(transcript: Transcript, bare: bool) -> dict[str, Any]:
    extras = message_fields(transcript)
    turns: list[dict[str, Any]] = []
    for number, message in enumerate(transcript.messages):
        more = {} if bare else dict(extras.get(str(number), {}))
        turns += [turn | more for turn in _turns(message, bare)]
    return {"conversations": turns}


def _turns(message: Message, bare: bool) -> list[dict[str, Any]]:
    record = plain(message, bare=False)
    besides = {} if bare else {key: record[key] for key in _BESIDES if key in record}
    turns = []
    if message.content or not message.tool_calls:
        turns.append({"from": _SPEAKERS[message.role], "value": message.content, **besides})
    for call in message.tool_calls or ():
        turns.append({"from": "function_call", "value": _call(call), **besides})
    return turns


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function")
    if not isinstance(function, dict) or "name" not in function:
        raise BadRecord("has a tool call without a function's name; give it one")
    arguments = function.get("arguments", "{}")
    if isinstance(arguments, str):
        with suppress(ValueError, RecursionError):  # else it stays the text it is
            arguments = json.loads(arguments)
    return json.dumps({"name": function["name"], "arguments": arguments}, ensure_ascii=False)
