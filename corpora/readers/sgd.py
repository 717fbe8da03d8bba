"""SGD (Schema-Guided Dialogue): service calls are tool calls, their results a tool's message.

Source: Rastogi et al. 2020, "Towards Scalable Multi-domain Conversational
Agents", section 3. `state` holds the slots of each service at the end; the
acts of every turn are in `meta.acts`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue as a transcript; its services are tags."""
    messages: list[dict[str, Any]] = []
    acts: dict[str, Any] = {}
    slots: dict[str, Any] = {}
    for turn in record["turns"]:
        frames = turn.get("frames") or ()
        for frame in frames:
            messages.extend(_service(frame, len(messages)))
            if frame.get("state"):
                slots[frame["service"]] = frame["state"].get("slot_values") or {}
        if said := [act for frame in frames for act in _acts(frame)]:
            acts[str(len(messages))] = said
        role = {"USER": "user", "SYSTEM": "assistant"}[turn["speaker"]]
        messages.append({"role": role, "content": turn["utterance"]})
    made = transcript(
        record.get("dialogue_id", id),
        messages,
        state=present(slots={service: values for service, values in slots.items() if values}) or None,
        tags=tuple(record.get("services") or ()),
        meta=present(acts=acts),
    )
    return Found(made)


def _service(frame: Mapping[str, Any], number: int) -> Iterator[dict[str, Any]]:
    call = frame.get("service_call")
    if not call:
        return
    arguments = json.dumps(call.get("parameters") or {}, ensure_ascii=False)
    function = {"name": call["method"], "arguments": arguments}
    call_id = f"call-{number}"
    yield {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": call_id, "type": "function", "function": function}],
    }
    results = json.dumps(frame.get("service_results") or [], ensure_ascii=False)
    yield {"role": "tool", "content": results, "tool_call_id": call_id}


def _acts(frame: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        present(act=action.get("act"), slot=action.get("slot"), values=action.get("values"))
        for action in frame.get("actions") or ()
    ]


READER = JsonFormat(
    name="sgd",
    fits=lambda record: "dialogue_id" in record and "speaker" in record["turns"][0],
    convert=convert,
    loses=("the spans of slots", "the state before the last of each service", "canonical values"),
)
