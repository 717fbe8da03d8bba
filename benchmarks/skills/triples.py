"""Triples: F1 of relation and value on kdconv's turns, learned, by rules, and by known values.

    python -m benchmarks.skills.triples

kdconv's training part is not at hand: of its development dialogues (film, music, travel) a seeded
fifth is reported, the others fit. The relation Information, whose value is a passage, is left out.
Micro F1 over all pairs of (relation, value), equal in NFKC; with the head as well, which is taken to
be the dialogue's first marked entity. Intervals resample dialogues (95 %).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks import DATA, markdown, save
from dialog.text import normalise
from skills.triples.learned import Example, fit
from skills.triples.rules import extract

_DOMAINS = ("film", "music", "travel")
_RESAMPLES = 1000
Pairs = set[tuple[str, str]]


class Turn(NamedTuple):
    """A message with its marks; `heads` are the entities they are about."""

    example: Example
    heads: tuple[str, ...]


def dialogues(domain: str) -> list[tuple[bool, list[Turn]]]:
    """(is reported, turns) of each dialogue."""
    found = []
    with gzip.open(DATA / "kdconv" / f"{domain}_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            told = json.loads(line)
            turns, before = [], ""
            for message in told["messages"]:
                marks = [one for one in message.get("attrs", ()) if one["attrname"] != "Information"]
                stated = tuple((one["attrname"], one["attrvalue"]) for one in marks)
                example = Example(message=message["message"], before=before, stated=stated)
                turns.append(Turn(example, tuple(_bare(one["name"]) for one in marks)))
                before = message["message"]
            digest = hashlib.sha256(f"triples-{told['id']}".encode()).hexdigest()
            found.append((int(digest, 16) % 5 == 0, turns))
    return found


def counts(
    told: Sequence[list[Turn]], extracted: Callable[[Example], Pairs], *, with_head: bool = False
) -> np.ndarray:
    """Right, found and marked pairs of each dialogue; (dialogues, 3)."""
    rows = []
    for turns in told:
        right = found = marked = 0
        topic = next((turn.heads[0] for turn in turns if turn.heads), "")
        for turn in turns:
            heads = turn.heads if with_head else (topic,) * len(turn.heads)
            gold = {
                (head, relation, normalise(value))
                for head, (relation, value) in zip(heads, turn.example.stated, strict=True)
            }
            own = {(topic, relation, normalise(value)) for relation, value in extracted(turn.example)}
            right, found, marked = right + len(gold & own), found + len(own), marked + len(gold)
        rows.append((right, found, marked))
    return np.array(rows, dtype=np.float64)


def told_f1(rows: np.ndarray) -> tuple[str, float]:
    """Micro F1 with its bootstrap interval over dialogues."""
    draw = np.random.default_rng(0)
    drawn = [_f1(rows[draw.integers(len(rows), size=len(rows))]) for _ in range(_RESAMPLES)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{_f1(rows):.3f} [{low:.3f}, {high:.3f}]", _f1(rows)


def _f1(rows: np.ndarray) -> float:
    right, found, marked = rows.sum(axis=0)
    return float(2 * right / max(1.0, found + marked))


def _bare(name: str) -> str:
    return re.sub(r"[（(].*$", "", name)


def main() -> int:
    if not (DATA / "kdconv").is_dir():
        print(f"skipped: {DATA / 'kdconv'} is not there")
        return 0
    rows: list[tuple[object, ...]] = []
    values: dict[str, object] = {}
    for domain in _DOMAINS:
        told = dialogues(domain)
        fitting = [turn.example for is_reported, turns in told if not is_reported for turn in turns]
        reported = [turns for is_reported, turns in told if is_reported]
        known = {value: relation for one in fitting for relation, value in one.stated}
        learned = fit(fitting)
        ways: dict[str, Callable[[Example], Pairs]] = {
            "known values": lambda one, known=known: {
                (relation, value) for value, relation in known.items() if value in one.message
            },
            "rules": lambda one: {(triple.relation, triple.object) for triple in extract(one.message)},
            "learned": lambda one, learned=learned: set(learned.extract(one.message, before=one.before)),
        }
        standing = [
            value in turn.example.message
            for turns in reported
            for turn in turns
            for _, value in turn.example.stated
        ]
        for name, way in ways.items():
            pairs, headed = counts(reported, way), counts(reported, way, with_head=True)
            right, found, marked = pairs.sum(axis=0)
            shown, f1 = told_f1(pairs)
            precision, recall = right / max(1.0, found), right / max(1.0, marked)
            rows.append(
                (domain, name, len(reported), int(marked), precision, recall, shown, told_f1(headed)[0])
            )
            values[f"{domain}: {name}"] = {"precision": precision, "recall": recall, "f1": f1}
        values[f"{domain}: share of values that stand in the message"] = float(np.mean(standing))
    header = ("domain", "how", "dialogues", "pairs", "precision", "recall", "F1", "F1 with the head")
    save("skills-triples", values, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
