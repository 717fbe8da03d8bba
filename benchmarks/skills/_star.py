"""STAR's dialogues as decisions: at each action of the wizard, what had happened before it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import DATA
from skills.support.importers.star import TaskGraph, read_graph

STAR = DATA / "star"
START = "hello"


@dataclass(frozen=True)
class Decision:
    """`actions` are the wizard's before, oldest first; `outcome` is that of a query just made."""

    dialogue: int
    tasks: tuple[str, ...]
    said: str
    actions: tuple[str, ...]
    outcome: str
    wanted: str


def graphs() -> dict[str, TaskGraph]:
    """By task."""
    return {path.name: read_graph(path / f"{path.name}.json") for path in sorted((STAR / "tasks").iterdir())}


def decisions(part: str) -> Iterator[Decision]:
    """All of `train`, `dev` or `test`: suggestions picked and queries made; free utterances have no label."""
    with gzip.open(STAR / f"dialogues_{part}.jsonl.gz", "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            yield from _of(number, json.loads(line))


def _of(number: int, dialogue: dict[str, Any]) -> Iterator[Decision]:
    tasks = tuple(one["Task"] for one in dialogue["Scenario"]["WizardCapabilities"])
    said, outcome = "", ""
    actions: list[str] = []
    for event in dialogue["Events"]:
        kind = (event["Agent"], event["Action"])
        if kind == ("User", "utter"):
            said, outcome = event["Text"], ""
        elif kind == ("KnowledgeBase", "return_item"):
            outcome = "query_success" if event.get("Item") else "query_failure"
        elif kind in (("Wizard", "pick_suggestion"), ("Wizard", "query")):
            wanted = event["ActionLabel"] if event["Action"] == "pick_suggestion" else _query(event)
            yield Decision(number, tasks, said, tuple(actions), outcome, wanted)
            actions.append(wanted)
            outcome = ""


def _query(event: dict[str, Any]) -> str:
    """`query_check` or `query_book` where the request says which, else `query`."""
    kinds = [str(one["RequestType"]).strip('"') for one in event["Constraints"] if "RequestType" in one]
    return f"query_{kinds[0].lower()}" if kinds and kinds[0] in ("Check", "Book") else "query"
