"""Preference pairs: `{"prompt"?, "chosen", "rejected"}`, each a text or a list of messages.

The conversation is the prompt with the chosen answer; the rejected one is in
`meta.rejected` as messages. Without a prompt, what both begin with is the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, transcript
from corpora.readers.openai import meta_of
from corpora.readers.prompt_completion import prompt_messages, said


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A record as a conversation."""
    notes: list[str] = []
    chosen = said(record["chosen"], role="assistant", notes=notes)
    rejected = said(record["rejected"], role="assistant", notes=notes)
    if "prompt" in record:
        prompt = prompt_messages(record["prompt"], notes)
    else:
        shared = _num_shared(chosen, rejected)
        prompt = [one | ({"loss": False} if one["role"] == "assistant" else {}) for one in chosen[:shared]]
        chosen, rejected = chosen[shared:], rejected[shared:]
    rest = meta_of(record, used=("prompt", "chosen", "rejected"))
    made = transcript(
        record.get("id") or id,
        prompt + chosen,
        state=record.get("state"),
        tags=tuple(record.get("tags") or ()),
        meta=rest | {"rejected": rejected},
    )
    return Found(made, notes=tuple(notes))


def _num_shared(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> int:
    """Length of the common beginning; the last message of either is never part of it."""
    shared = 0
    for one, other in zip(first[:-1], second[:-1], strict=False):
        if one != other:
            break
        shared += 1
    return shared


READER = JsonFormat(
    name="preference",
    fits=lambda record: all(isinstance(record[name], (str, list)) for name in ("chosen", "rejected")),
    convert=convert,
    loses=("whether the prompt was repeated in both answers",),
)
