"""ABCD (Action-Based Conversations Dataset): what the agent had the system do is a tool call and its result.

Source: Chen et al. 2021, "Action-Based Conversations Dataset", section 3. The
scenario (flow, subflow, order) is in `meta`. The name and values of an action are
those of the delexicalised copy, which is left out otherwise; without one, the names
are those of `actions_taken`, in order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript

_ROLES = {"agent": "assistant", "customer": "user"}
_UNNAMED = "action"


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue as a transcript; its flow and subflow are tags."""
    scenario = record.get("scenario") or {}
    made = transcript(
        record.get("convo_id", id),
        list(_messages(record)),
        tags=tuple(scenario[key] for key in ("flow", "subflow") if scenario.get(key)),
        meta=present(
            customer=(scenario.get("personal") or {}).get("username"),
            scenario=scenario,
            actions=record.get("actions_taken"),
        ),
    )
    return Found(made, notes=("the delexicalised copy is left out",) if "delexed" in record else ())


def _messages(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    delexed = record.get("delexed") or ()
    taken = iter(record.get("actions_taken") or ())
    for number, (speaker, text) in enumerate(record["original"]):
        if speaker != "action":
            yield {"role": _ROLES[speaker], "content": text}
            continue
        name, values = _target(delexed[number]) if number < len(delexed) else (next(taken, None), ())
        call = f"call-{number}"
        function = {
            "name": name or _UNNAMED,
            "arguments": json.dumps({"values": values}, ensure_ascii=False),
        }
        yield {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": call, "type": "function", "function": function}],
        }
        yield {"role": "tool", "content": text, "tool_call_id": call}


def _target(turn: Mapping[str, Any]) -> tuple[str | None, Sequence[str]]:
    """An action's name and values: the third and fourth of its targets."""
    targets = [*(turn.get("targets") or ()), None, None, None, None]
    return targets[2], targets[3] or ()


READER = JsonFormat(
    name="abcd",
    fits=lambda record: "original" in record and "scenario" in record,
    convert=convert,
    loses=("the delexicalised copy with its candidates",),
    wrappers=("train", "dev", "test"),
)
