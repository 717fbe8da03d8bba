"""KdConv: Chinese conversations about film, music and travel, each turn with the facts behind it.

Source: Zhou et al. 2020, "KdConv: A Chinese Multi-domain Dialogue Dataset Towards
Multi-turn Knowledge-driven Conversation", section 3. Speakers take turns and have
no names: the first is taken for the user. Facts are in `meta.knowledge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A conversation as a transcript."""
    given = record["messages"]
    messages = [
        {"role": ("user", "assistant")[number % 2], "content": one["message"]}
        for number, one in enumerate(given)
    ]
    facts = {str(number): one["attrs"] for number, one in enumerate(given) if one.get("attrs")}
    domain = record.get("domain")
    made = transcript(
        record.get("id", id),
        messages,
        tags=(domain,) if domain else (),
        meta=present(topic=record.get("name"), knowledge=facts),
    )
    return Found(made)


READER = JsonFormat(
    name="kdconv", fits=lambda record: "message" in record["messages"][0], convert=convert, loses=()
)
