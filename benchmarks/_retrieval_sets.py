"""The public sets that retrieval is measured on, each as documents and turns with known answers.

A set says which documents a turn is about; where it also marks the span that
answers, passages are measured too. Samples are drawn with a fixed seed. Two
sets have a development part, a third of the dialogues (by hash), on which
things are chosen; the other two thirds are reported. tau2's tasks are a public
leaderboard's: nothing was chosen on them.

    for found in read_sets(["kdconv"], part="test"):
        print(found.name, len(found.documents), len(found.turns))
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks import DATA
from dialog.values import Message

Part = Literal["development", "test"]

NUM_TURNS = 500
NUM_CHINESE_TURNS = 300
NUM_PLACES = 900
"""Of crosswoz's 2,549 entries: those asked for, and others drawn by seed."""
EXAMPLES_AN_INTENT = 15


@dataclass(frozen=True)
class Turn:
    """A user turn, what was said before, the documents it is about, and where its answer stands there.

    `dialogue` names what it was taken from: a dialogue, a task, or the turn itself.
    """

    query: str
    history: tuple[Message, ...] = ()
    documents: frozenset[str] = frozenset()
    spans: tuple[tuple[int, int], ...] = ()
    dialogue: str = ""


@dataclass(frozen=True)
class RetrievalSet:
    """Documents by id (title, text), and turns."""

    name: str
    documents: Mapping[str, tuple[str, str]]
    turns: Sequence[Turn] = field(repr=False)

    def write(self, folder: Path) -> Path:
        """The documents as a file to index; a passage's source ends with `#` and the id."""
        path = folder / f"{self.name}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for key, (title, text) in self.documents.items():
                file.write(json.dumps({"id": key, "title": title, "text": text}, ensure_ascii=False) + "\n")
        return path


def read_sets(names: Sequence[str], *, part: Part) -> Iterator[RetrievalSet]:
    """The sets of these names whose data is there."""
    for name in names:
        folder, read = SETS[name]
        if (DATA / folder).is_dir():
            yield read(part)


def _is_part(part: Part, key: str) -> bool:
    third = int(hashlib.sha256(key.encode()).hexdigest(), 16) % 3
    return (third == 0) == (part == "development")


def _lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _sample(turns: Sequence[Turn], num_turns: int) -> list[Turn]:
    return random.Random(0).sample(list(turns), min(num_turns, len(turns)))


def _doc2dial(part: Part) -> RetrievalSet:
    documents = {
        row["doc_id"]: (row["doc_id"].partition("#")[0], row["doc_text"])
        for row in _lines(DATA / "doc2dial" / "docs.jsonl.gz")
    }
    rows = [
        row for row in _lines(DATA / "doc2dial" / "grounding_val.jsonl.gz") if _is_part(part, row["dial_id"])
    ]
    turns = [_doc2dial_turn(row) for row in random.Random(0).sample(rows, min(NUM_TURNS, len(rows)))]
    return RetrievalSet("doc2dial", documents, turns)


def _doc2dial_turn(row: dict[str, Any]) -> Turn:
    roles: Mapping[str, Literal["user", "assistant"]] = {"user": "user", "agent": "assistant"}
    messages = [Message(role=roles[role], content=text) for role, text in row["history"]]
    spans = tuple(
        (start, start + len(text))
        for start, text in zip(row["answer_start"], row["answer_text"], strict=True)
    )
    return Turn(messages[-1].content, tuple(messages[:-1]), frozenset([row["doc_id"]]), spans, row["dial_id"])


def _tau2(part: Part) -> RetrievalSet:
    """The whole scenario of a task is the query: what the customer will ask for, told to the customer."""
    folder = DATA / "tau2" / "banking_knowledge"
    documents = {
        row["content"]["id"]: (row["content"]["title"], row["content"]["content"])
        for row in _lines(folder / "documents.jsonl.gz")
    }
    tasks = json.loads((folder / "tasks_train.json").read_text(encoding="utf-8"))
    turns = [
        Turn(
            query=str(task["user_scenario"]["instructions"]),
            documents=frozenset(task["required_documents"]),
            dialogue=str(task["id"]),
        )
        for task in tasks
        if task.get("required_documents")
    ]
    return RetrievalSet("tau2", documents, turns)


def _kdconv(part: Part) -> RetrievalSet:
    """A turn is about the entities whose facts the next message states."""
    with gzip.open(DATA / "kdconv" / "kb_travel.json.gz", "rt", encoding="utf-8") as file:
        facts: dict[str, list[tuple[str, str, str]]] = json.load(file)
    documents = {name: (name, _facts(triples)) for name, triples in facts.items()}
    turns = []
    for row in _lines(DATA / "kdconv" / "travel_dev.jsonl.gz"):
        if not _is_part(part, row["id"]):
            continue
        said = [message["message"] for message in row["messages"]]
        for i, message in enumerate(row["messages"][1:], 1):
            about = frozenset(attr["name"] for attr in message.get("attrs", ())) & documents.keys()
            if about:
                turns.append(Turn(said[i - 1], _alternating(said[: i - 1]), about, dialogue=row["id"]))
    return RetrievalSet("kdconv", documents, _sample(turns, NUM_CHINESE_TURNS))


def _facts(triples: Sequence[tuple[str, str, str]]) -> str:
    lines = dict.fromkeys(
        value if relation == "Information" else f"{relation}：{value}" for _, relation, value in triples
    )
    return "\n\n".join(lines)


def _alternating(said: Sequence[str]) -> tuple[Message, ...]:
    """The last message before the query is the other's."""
    return tuple(
        Message(role="assistant" if (len(said) - i) % 2 else "user", content=text)
        for i, text in enumerate(said)
    )


def _crosswoz(part: Part) -> RetrievalSet:
    """A turn that asks for something is about the one entry that the answer was taken from."""
    entries: dict[str, str] = {}
    for name in ("hotel", "attraction", "restaurant"):
        with gzip.open(DATA / "crosswoz" / "database" / f"{name}_db.json.gz", "rt", encoding="utf-8") as file:
            entries |= {key: _entry(values) for key, values in json.load(file)}
    turns = []
    for row in _lines(DATA / "crosswoz" / "val.jsonl.gz"):
        if not _is_part(part, str(row["task_id"])):
            continue
        messages = row["messages"]
        for i in range(0, len(messages) - 1, 2):
            asked = {act[1] for act in messages[i]["dialog_act"] if act[0] == "Request"}
            state = messages[i + 1].get("sys_state") or {}
            about = {name for domain in asked for name in state.get(domain, {}).get("selectedResults", ())}
            if len(about) == 1 and about <= entries.keys():
                turns.append(
                    Turn(
                        messages[i]["content"],
                        _alternating([one["content"] for one in messages[:i]]),
                        frozenset(about),
                        dialogue=str(row["task_id"]),
                    )
                )
    turns = _sample(turns, NUM_CHINESE_TURNS)
    wanted = {name for turn in turns for name in turn.documents}
    others = sorted(entries.keys() - wanted)
    kept = [*sorted(wanted), *random.Random(0).sample(others, max(0, NUM_PLACES - len(wanted)))]
    return RetrievalSet("crosswoz", {key: (key, entries[key]) for key in kept}, turns)


def _entry(values: Mapping[str, Any]) -> str:
    """The fields of an entry, without its long lists of neighbours."""
    shown = {key: "、".join(value) if isinstance(value, list) else value for key, value in values.items()}
    return "\n\n".join(
        f"{key}：{value}" for key, value in shown.items() if value and not key.startswith("周边")
    )


def _banking77(part: Part) -> RetrievalSet:
    """Fifteen seeded examples an intent as documents; a question's are those of its intent."""
    with gzip.open(DATA / "banking77" / "train.tsv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    random.Random(0).shuffle(rows)
    documents: dict[str, tuple[str, str]] = {}
    intents: dict[str, list[str]] = {}
    rest = []
    for key, text, intent in rows:
        if len(intents.setdefault(intent, [])) < EXAMPLES_AN_INTENT:
            intents[intent].append(key)
            documents[key] = ("", text)
        else:
            rest.append((key, text, intent))
    turns = [
        Turn(text, documents=frozenset(intents[intent]), dialogue=key)
        for key, text, intent in rest
        if _is_part(part, key)
    ]
    return RetrievalSet("banking77", documents, _sample(turns, NUM_TURNS))


SETS: Mapping[str, tuple[str, Callable[[Part], RetrievalSet]]] = {
    "doc2dial": ("doc2dial", _doc2dial),
    "kdconv": ("kdconv", _kdconv),
    "crosswoz": ("crosswoz", _crosswoz),
    "banking77": ("banking77", _banking77),
    "tau2": ("tau2", _tau2),
}
"""Folder under the data directory, and how the set is read."""
