"""Prompt and completion: texts or lists of messages; also `instruction`/`input`/`output`, `query`/`response`.

Only the completion is trained on, so agent messages inside a prompt get
`"loss": false`. With `"label": false` (an answer users disliked) nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import BadRecord, Found, JsonFormat, transcript
from corpora.readers.openai import messages_of, meta_of

_PAIRS = (
    ("prompt", "completion"),
    ("prompt", "response"),
    ("instruction", "output"),
    ("instruction", "response"),
    ("query", "response"),
    ("question", "answer"),
)


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A record as a conversation."""
    names = _names(record)
    if names is None:
        raise BadRecord("has no prompt and completion; name its two texts so")
    notes: list[str] = []
    prompt, completion = record[names[0]], record[names[1]]
    more = record.get("input")
    if names[0] == "instruction" and isinstance(prompt, str) and isinstance(more, str) and more:
        prompt = f"{prompt}\n\n{more}"
    messages = prompt_messages(prompt, notes) + said(completion, role="assistant", notes=notes)
    if isinstance(record.get("system"), str) and record["system"]:
        messages.insert(0, {"role": "system", "content": record["system"]})
    if record.get("label") is False:
        messages = [one | ({"loss": False} if one["role"] == "assistant" else {}) for one in messages]
        notes.append("an answer labelled false is kept out of training")
    rest = meta_of(record, used=(*names, "input", "system"))
    tags = tuple(record.get("tags") or ())
    made = transcript(record.get("id") or id, messages, state=record.get("state"), tags=tags, meta=rest)
    return Found(made, notes=tuple(notes))


def prompt_messages(prompt: object, notes: list[str]) -> list[dict[str, Any]]:
    """The messages of a prompt; what the agent says in it is not trained on."""
    return [
        one | ({"loss": False} if one["role"] == "assistant" else {})
        for one in said(prompt, role="user", notes=notes)
    ]


def said(content: object, *, role: str, notes: list[str]) -> list[dict[str, Any]]:
    """A text as one message of `role`, or a list of messages as it is; an empty list stays empty."""
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if content == []:
        return []
    messages, extras = messages_of(content, notes)
    notes.extend("further fields of a message are left out" for _ in extras)
    return messages


def _names(record: Mapping[str, Any]) -> tuple[str, str] | None:
    return next((pair for pair in _PAIRS if pair[0] in record and pair[1] in record), None)


def _fits(record: Mapping[str, Any]) -> bool:
    names = _names(record)
    return names is not None and all(isinstance(record[name], (str, list)) for name in names)


READER = JsonFormat(
    name="prompt-completion",
    fits=_fits,
    convert=convert,
    loses=("whether an instruction had a separate input", "fields of messages other than OpenAI's"),
)
