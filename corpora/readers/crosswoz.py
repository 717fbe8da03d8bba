"""CrossWOZ: Chinese dialogues over five domains with the user's goal and both sides' states.

Source: Zhu et al. 2020, "CrossWOZ: A Large-Scale Chinese Cross-Domain
Task-Oriented Dialogue Dataset", section 3. `state.slots` is what the system
knows at the end; dialogue acts are in `meta.acts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript

_ROLES = {"usr": "user", "sys": "assistant"}


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue as a transcript; its type and domains are tags."""
    given = record["messages"]
    messages = [{"role": _ROLES[one["role"]], "content": one["content"]} for one in given]
    acts = {str(number): one["dialog_act"] for number, one in enumerate(given) if one.get("dialog_act")}
    states = [one["sys_state"] for one in given if one.get("sys_state")]
    last = {domain: present(**slots) for domain, slots in states[-1].items()} if states else {}
    users = list(record.get("sys-usr") or ())
    made = transcript(
        record.get("task_id", id),
        messages,
        state=present(slots=present(**last)) or None,
        tags=(
            *filter(None, [record.get("type")]),
            *dict.fromkeys(row[1] for row in record.get("goal") or ()),
        ),
        meta=present(
            customer=users[1] if len(users) > 1 else None,
            goal=record.get("goal"),
            final_goal=record.get("final_goal"),
            task=record.get("task description"),
            acts=acts,
        ),
    )
    return Found(made)


READER = JsonFormat(
    name="crosswoz",
    fits=lambda record: record["messages"][0]["role"] in _ROLES and "dialog_act" in record["messages"][0],
    convert=convert,
    loses=("the states before the last",),
)
