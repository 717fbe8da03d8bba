"""STAR's task graphs as flows.

    graph = read_graph(Path("../shared/data/star/tasks/ride_book/ride_book.json"))
    imported = to_flows([graph], openings={"ride_book": ["I need a ride"]})
    Path("flows.yaml").write_text(as_yaml(imported.flows))
    imported.notes        # what a person must look at

Along a graph, from `hello` to its query, every `ask_...` becomes a slot; the
query becomes a lookup and the proposed action, the reply to its success the
flow's last word. STAR is English: Chinese texts are the English ones until
somebody translates them, and the notes say so.
Source: Mosig et al. 2020, "STAR", section 3 (graphs and replies).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dialog.errors import CorpusError
from dialog.values import Value
from skills.support.flows import Bilingual, Examples, Flow, Flows, Lookup, Proposal, SlotSpec

_PLACEHOLDER = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_ASKS = re.compile(r"(?:^|_)ask_(?P<what>\w+)$")


class TaskGraph(Value):
    """One task: what the wizard may say by action, and which action follows which.

    `next_action` also has what is no action of the wizard: `yes`, `no`, `query_success`, `query_failure`.
    """

    name: str
    replies: dict[str, str]
    next_action: dict[str, str]

    def walk(self, start: str = "hello") -> list[str]:
        """The actions after `start`, until one has been before or nothing follows."""
        path: list[str] = []
        at = self.next_action.get(start)
        while at is not None and at not in path:
            path.append(at)
            at = self.next_action.get(at)
        return path


class Imported(Value):
    """Flows, and what could not be taken over as it was."""

    flows: Flows
    notes: tuple[str, ...]


def read_graph(path: Path) -> TaskGraph:
    """A `tasks/NAME/NAME.json`. Raises CorpusError if it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return TaskGraph(name=path.stem, replies=content["replies"], next_action=content["graph"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
        raise CorpusError(
            f"no task graph of STAR ({error!r}); give tasks/NAME/NAME.json", path=path
        ) from error


def to_flows(graphs: Iterable[TaskGraph], *, openings: Mapping[str, Sequence[str]]) -> Imported:
    """One flow a graph.

    Args:
        openings: by task, sentences customers begin with; without any the task's name is the only example.
    """
    slots: dict[str, SlotSpec] = {}
    flows: dict[str, Flow] = {}
    notes = ["every text is English; translate the `zh` ones"]
    for graph in graphs:
        title = graph.name.replace("_", " ")
        path = graph.walk()
        asked = {f"{graph.name}_{what}": graph.replies[label] for label, what in _asking(path, graph)}
        slots |= {name: _slot(name, question, graph.name) for name, question in asked.items()}
        said = tuple(openings.get(graph.name, ()))
        if not said:
            notes.append(f"{graph.name}: no opening sentences; add `examples`")
        notes += [f"{graph.name}: {label!r} is not on the way to the query" for label in _beside(path, graph)]
        flows[graph.name] = _flow(graph, title, tuple(asked), said or (title,))
    return Imported(flows=Flows(slots=slots, flows=flows), notes=tuple(notes))


def as_yaml(flows: Flows) -> str:
    """A flow file; `skills.support.load` reads it."""
    import yaml

    content: dict[str, Any] = flows.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)


def _asking(path: Sequence[str], graph: TaskGraph) -> list[tuple[str, str]]:
    """The questions before the query: the action, and what it asks for."""
    found = []
    for label in path:
        if label.startswith("query"):
            break
        asks = _ASKS.search(label)
        if asks and label in graph.replies and not asks["what"].startswith("confirm"):
            found.append((label, asks["what"]))
    return found


def _beside(path: Sequence[str], graph: TaskGraph) -> list[str]:
    """Questions that the walk does not come to: asked when something is missing or went wrong."""
    return [label for label in graph.replies if _ASKS.search(label) and label not in path]


def _slot(name: str, question: str, task: str) -> SlotSpec:
    what = name.removeprefix(f"{task}_").replace("_", " ")
    return SlotSpec(
        kind="name" if what == "name" else "text", label=_both(what), ask=_both(question), keep=what == "name"
    )


def _flow(graph: TaskGraph, title: str, slots: tuple[str, ...], examples: tuple[str, ...]) -> Flow:
    follow = graph.next_action
    done = follow.get("query_book") or follow.get("query_success") or follow.get("query") or "anything_else"
    confirm = next((text for label, text in graph.replies.items() if "ask_confirm" in label), None)
    has_query = any(label.startswith("query") for label in graph.walk())
    return Flow(
        description=_both(title),
        examples=Examples(en=examples, zh=examples),
        slots=slots,
        lookup=Lookup(name=graph.name, slots=slots) if slots else None,
        confirm=_both(_template(confirm or f"Shall I go on: {title}?")),
        action=Proposal(name=graph.name, arguments={slot: slot for slot in slots}) if has_query else None,
        reply=_both(_template(graph.replies.get(done) or "Done.")) if slots else _both("Done."),
    )


def _template(reply: str) -> str:
    """STAR's placeholders as ours: `{price:d}` becomes `{price}`."""
    return _PLACEHOLDER.sub(lambda found: f"{{{found[1]}}}", reply)


def _both(text: str) -> Bilingual:
    return Bilingual(zh=text, en=text)
