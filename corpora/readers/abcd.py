"""ABCD (Action-Based Conversations Dataset): what the agent's system did is a tool's message.

Source: Chen et al. 2021, "Action-Based Conversations Dataset", section 3. The
scenario (flow, subflow, order) is in `meta`; the delexicalised copy is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript

_ROLES = {"agent": "assistant", "customer": "user", "action": "tool"}


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue as a transcript; its flow and subflow are tags."""
    scenario = record.get("scenario") or {}
    messages = [{"role": _ROLES[speaker], "content": text} for speaker, text in record["original"]]
    made = transcript(
        record.get("convo_id", id),
        messages,
        tags=tuple(scenario[key] for key in ("flow", "subflow") if scenario.get(key)),
        meta=present(
            customer=(scenario.get("personal") or {}).get("username"),
            scenario=scenario,
            actions=record.get("actions_taken"),
        ),
    )
    return Found(made, notes=("the delexicalised copy is left out",) if "delexed" in record else ())


READER = JsonFormat(
    name="abcd",
    fits=lambda record: "original" in record and "scenario" in record,
    convert=convert,
    loses=("the delexicalised copy with its candidates",),
    wrappers=("train", "dev", "test"),
)
