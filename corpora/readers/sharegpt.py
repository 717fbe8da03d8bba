"""ShareGPT: `{"id"?, "conversations": [{"from": "human|gpt|system|function_call|observation", "value"}]}`.

Other names of the speakers (`user`, `assistant`, `chatgpt`, `bing`, `tool`) are
read and become the usual ones; a `system` or `tools` field beside the
conversation is kept. A function call that is JSON becomes a tool call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from corpora.formats import BadRecord, Found, JsonFormat, transcript
from corpora.readers.openai import meta_of

ROLES: Mapping[str, str] = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "system": "system",
    "function_call": "assistant",
    "observation": "tool",
    "function_response": "tool",
    "tool": "tool",
}
_MESSAGE_FIELDS = ("name", "time", "tool_call_id", "loss", "weight")
_TURN_FIELDS = ("from", "value", *_MESSAGE_FIELDS)


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A record as a conversation; its own id wins."""
    messages, extras, call_id = [], {}, ""
    system = record.get("system")
    if isinstance(system, str) and system:
        messages.append({"role": "system", "content": system})
    for number, turn in enumerate(record["conversations"]):
        speaker = turn["from"]
        if speaker not in ROLES:
            raise BadRecord(f"turn {number} is from {speaker!r}; one of {', '.join(ROLES)} speaks")
        message = {"role": ROLES[speaker], "content": turn["value"]}
        message |= {key: turn[key] for key in _MESSAGE_FIELDS if turn.get(key) is not None}
        if speaker == "function_call" and (call := _call(turn["value"], number)):
            call_id = str(call["id"])
            message |= {"content": "", "tool_calls": [call]}
        elif message["role"] == "tool" and call_id and "tool_call_id" not in message:
            message["tool_call_id"], call_id = call_id, ""
        extra = {key: value for key, value in turn.items() if key not in _TURN_FIELDS}
        if extra:
            extras[str(len(messages))] = extra
        messages.append(message)
    meta = meta_of(record, used=("conversations", "system"))
    if extras:
        meta["message_fields"] = extras
    tags = record.get("tags") or ()
    return Found(
        transcript(record.get("id") or id, messages, state=record.get("state"), tags=tuple(tags), meta=meta)
    )


def _call(text: str, number: int) -> dict[str, Any] | None:
    """A tool call from its JSON text; None where it is something else, which then stays text."""
    try:
        call = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or set(call) != {"name", "arguments"} or not isinstance(call["name"], str):
        return None
    arguments = call["arguments"]
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    function = {"name": call["name"], "arguments": arguments}
    return {"id": f"call-{number}", "type": "function", "function": function}


def _fits(record: Mapping[str, Any]) -> bool:
    first = record["conversations"][0]
    return "from" in first and "value" in first


READER = JsonFormat(
    name="sharegpt",
    fits=_fits,
    convert=convert,
    loses=("which of several names a speaker was given", "a system text as a field of its own"),
)
