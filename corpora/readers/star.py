"""STAR: wizard and user with a knowledge base; its queries are tool calls, what it returns a tool's message.

Source: Mosig et al. 2020, "STAR: A Schema-Guided Dialog Dataset for Transfer
Learning", section 3. The label of each wizard's action is in `meta.actions`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript
from corpora.times import parse_time


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue as a transcript; its domains are tags."""
    notes: list[str] = []
    messages: list[dict[str, Any]] = []
    actions: dict[str, str] = {}
    call = ""
    for event in record["Events"]:
        time = parse_time(event.get("UnixTime"))
        match event["Agent"], event["Action"]:
            case "User", "utter":
                messages.append(present(role="user", content=event["Text"], time=time))
            case "Wizard", "utter" | "pick_suggestion":
                if event.get("ActionLabel"):
                    actions[str(len(messages))] = event["ActionLabel"]
                messages.append(present(role="assistant", content=event["Text"], time=time))
            case "Wizard", "query":
                call = f"call-{len(messages)}"
                function = {"name": event["APIName"], "arguments": _arguments(event)}
                calls = [{"id": call, "type": "function", "function": function}]
                messages.append(
                    {"role": "assistant", "content": "", "tool_calls": calls} | present(time=time)
                )
            case "KnowledgeBase", "return_item":
                content = json.dumps(event.get("Item"), ensure_ascii=False)
                messages.append({"role": "tool", "content": content} | present(tool_call_id=call))
            case _, action:
                notes.append(f"events of the kind {str(action)[:40]!r} are left out")
    scenario = record.get("Scenario") or {}
    made = transcript(
        record.get("DialogueID", id),
        [{"content": ""} | message for message in messages],
        tags=tuple(filter(None, scenario.get("Domains") or ())),
        meta=present(
            actions=actions,
            scenario=scenario,
            completion=record.get("CompletionLevel"),
            user_questionnaire=record.get("UserQuestionnaire"),
            wizard_questionnaire=record.get("WizardQuestionnaire"),
            customer=record.get("AnonymizedUserWorkerID"),
        ),
    )
    return Found(made, notes=tuple(notes))


def _arguments(event: Mapping[str, Any]) -> str:
    return json.dumps(
        {k: v for one in event.get("Constraints") or () for k, v in one.items()}, ensure_ascii=False
    )


READER = JsonFormat(
    name="star",
    fits=lambda record: "Events" in record and "DialogueID" in record,
    convert=convert,
    loses=("what the wizard typed for a suggestion, selected, or was told by the guide",),
)
