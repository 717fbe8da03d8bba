"""OpenAI's messages: an object with `messages: [{"role", "content", "tool_calls"?, ...}]` and `tools`.

Kept: tool calls, names, weights, and every further field (of the object in
`meta`, of a message in `meta.message_fields` under its number). Lost: images
and sounds in a message, and how a text was cut into parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import BadRecord, Found, JsonFormat, transcript

FIELDS = frozenset({"role", "content", "name", "time", "tool_calls", "tool_call_id", "loss", "weight"})
_ROLES: Mapping[str, str] = {"developer": "system", "function": "tool"}


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A record as a conversation; its own id wins."""
    notes: list[str] = []
    messages, extras = messages_of(record["messages"], notes)
    meta = meta_of(record, used=("messages",))
    if extras:
        meta["message_fields"] = extras
    state, tags = record.get("state"), record.get("tags")
    if state is not None and not isinstance(state, dict):
        state, meta["state"] = None, state
    if not _are_tags(tags):
        tags, meta["tags"] = None, tags
    made = transcript(record.get("id") or id, messages, state=state, tags=tuple(tags or ()), meta=meta)
    return Found(made, notes=tuple(notes))


def meta_of(record: Mapping[str, Any], *, used: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a record that are neither a transcript's own nor `used`, and what its `meta` holds."""
    own = record.get("meta")
    inside = own if isinstance(own, dict) else {} if own is None else {"meta": own}
    known = {"id", "state", "tags", "meta", *used}
    return {**inside, **{key: value for key, value in record.items() if key not in known}}


def messages_of(given: object, notes: list[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Messages in our shape, and the fields they have besides, by the message's number.

    Raises:
        BadRecord: it is no list of messages.
    """
    if not isinstance(given, list) or not given:
        raise BadRecord("messages is no list of messages; put at least one into it")
    messages, extras = [], {}
    for number, one in enumerate(given):
        if not isinstance(one, dict) or "role" not in one:
            raise BadRecord(f"message {number} has no role; say who speaks: system, user, assistant or tool")
        role = one["role"]
        kept: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in one.items():
            if value is not None:
                (kept if key in FIELDS else extra)[key] = value
        if role in _ROLES:
            extra["role"] = role
            kept["role"] = _ROLES[role]
        if "function_call" in extra:
            call = {"id": f"call-{number}", "type": "function", "function": extra.pop("function_call")}
            kept["tool_calls"] = [call]
            notes.append("an old function_call is kept as a tool call")
        kept["content"] = text_of(one.get("content"), notes)
        messages.append(kept)
        if extra:
            extras[str(number)] = extra
    return messages, extras


def text_of(content: object, notes: list[str]) -> str:
    """The text of a message's content; what is no text is noted.

    Raises:
        BadRecord: it has none of the shapes a content has.
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadRecord(f"content is a {type(content).__name__}; make it a text")
    texts = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        else:
            kind = part.get("type", "unknown") if isinstance(part, dict) else type(part).__name__
            notes.append(f"a part of the kind {str(kind)[:40]!r} is left out of a message")
    return "\n".join(texts)


def _are_tags(tags: object) -> bool:
    return tags is None or (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags))


def _fits(record: Mapping[str, Any]) -> bool:
    first = record["messages"][0]
    return (
        first["role"] in {"system", "user", "assistant", "tool", *_ROLES}
        and "content" in first
        and "dialog_act" not in first
    )


READER = JsonFormat(
    name="openai",
    fits=_fits,
    convert=convert,
    loses=("images and sounds in a message", "how a text was cut into parts"),
)
