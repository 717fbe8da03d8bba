"""tau2-bench: tasks, and the simulations of agents that tried them.

Source: Barres et al. 2025, "tau2-bench: Evaluating Conversational Agents in a
Dual-Control Environment". A simulation is a conversation; a task is none yet: its
transcript is the reason for which a user calls, and the rest is in `meta.task`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from corpora.formats import BadRecord, Found, JsonFormat, present, transcript
from corpora.times import parse_time

_NO_DIALOGUE = "a task is no conversation: only the user's reason for calling is a message"


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A simulation or a task as a transcript."""
    if "messages" in record:
        return _simulation(record, id)
    scenario = record["user_scenario"]
    instructions = scenario["instructions"]
    is_free = isinstance(instructions, str)
    reason = instructions if is_free else instructions["reason_for_call"]
    if not reason:
        raise BadRecord("has no reason for calling; leave it out")
    domain = None if is_free else instructions.get("domain")
    made = transcript(
        record.get("id", id),
        [{"role": "user", "content": reason}],
        tags=tuple(filter(None, ("task", domain))),
        meta={"task": {key: value for key, value in record.items() if key != "id"}},
    )
    return Found(made, notes=(_NO_DIALOGUE,))


def _simulation(record: Mapping[str, Any], id: str) -> Found:
    messages = []
    for one in record["messages"]:
        message = present(role=one["role"], content=one.get("content"), time=parse_time(one.get("timestamp")))
        if one.get("tool_calls"):
            message["tool_calls"] = [_call(call) for call in one["tool_calls"]]
        if one["role"] == "tool" and one.get("id"):
            message["tool_call_id"] = str(one["id"])
        messages.append({"content": ""} | message)
    rest = {key: value for key, value in record.items() if key not in ("id", "messages")}
    return Found(transcript(record.get("id", id), messages, meta=present(**rest)))


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(call.get("arguments") or {}, ensure_ascii=False)
    made = {
        "id": str(call.get("id")),
        "type": "function",
        "function": {"name": call["name"], "arguments": arguments},
    }
    return made | present(requestor=call.get("requestor"))


READER = JsonFormat(
    name="tau2",
    fits=lambda record: (
        ("user_scenario" in record and "evaluation_criteria" in record)
        or ("task_id" in record and "messages" in record and "dialog_act" not in record["messages"][0])
    ),
    convert=convert,
    loses=("costs and raw answers of single messages",),
    wrappers=("simulations",),
)
