"""MobileCS: calls to a Chinese mobile operator, with intents, entities and triples.

Source: Ou et al. 2022, "A Challenge on Semi-Supervised and Reinforced
Task-Oriented Dialog Systems". Speaker 1 is the agent; who speaks first in an
exchange is the order of its keys. Annotations are in `meta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript

_ROLES = {"[SPEAKER 1]": "assistant", "[SPEAKER 2]": "user"}
_INTENTS = {"assistant": "客服意图", "user": "用户意图"}


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A call as a transcript."""
    messages: list[dict[str, Any]] = []
    intents: dict[str, str] = {}
    facts: dict[str, Any] = {}
    for exchange in record["content"]:
        if info := present(**(exchange.get("info") or {})):
            facts[str(len(messages))] = info
        for key, text in exchange.items():
            if key in _ROLES and text:
                if intent := exchange.get(_INTENTS[_ROLES[key]]):
                    intents[str(len(messages))] = intent
                messages.append({"role": _ROLES[key], "content": text})
    made = transcript(record.get("id", id), messages, meta=present(intents=intents, annotations=facts))
    return Found(made)


READER = JsonFormat(
    name="mobilecs",
    fits=lambda record: any(key in record["content"][0] for key in _ROLES),
    convert=convert,
    loses=("whether somebody said nothing",),
)
