"""Labelled texts from JSONL, CSV and TSV, and the parts a run needs.

    texts, notes = read_texts([Path("intents.csv")], text="text", label="category")
    parts = divided(texts, none=("oos",), share=0.1, seed=0)

A record without text or label is an error with its place. A text that occurs
again with the same label is kept once, and said.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from corpora.decoding import open_text
from corpora.files import Source
from dialog.errors import CorpusError
from dialog.text import normalise


@dataclass(frozen=True)
class LabelledText:
    text: str
    label: str


@dataclass(frozen=True)
class Parts:
    """What is trained on, what stopping and calibration are decided on, and texts of no label."""

    train: list[LabelledText]
    held_out: list[LabelledText]
    none: list[LabelledText]


def read_texts(
    paths: Sequence[Path], *, text: str = "text", label: str = "label"
) -> tuple[list[LabelledText], list[str]]:
    """All texts in order, and what is to be told about them.

    Args:
        text, label: the fields or columns that hold them.

    Raises:
        CorpusError: a file cannot be read, a record lacks a field, or nothing was found.
    """
    found: list[LabelledText] = []
    for path in paths:
        with Source(path) as source:
            is_json = path.name.removesuffix(".gz").lower().endswith((".jsonl", ".json"))
            found += (_jsonl if is_json else _table)(source, text, label)
    if not found:
        raise CorpusError("holds no labelled texts", path=paths[0])
    kept = list(dict.fromkeys(found))
    notes = [f"{len(found) - len(kept)} texts occur again with the same label; kept once"]
    return kept, notes if len(kept) < len(found) else []


def divided(texts: Sequence[LabelledText], *, none: Sequence[str], share: float, seed: int) -> Parts:
    """Parts by a seeded draw within each label; texts alike but for case and space stay together.

    Args:
        none: labels that mean "none of these".
        share: of each label, 0 to below 1; at least one text of each stays to train on.
    """
    by_label: defaultdict[str, defaultdict[str, list[LabelledText]]] = defaultdict(lambda: defaultdict(list))
    for one in texts:
        if one.label not in none:
            by_label[one.label]["".join(normalise(one.text).split())].append(one)
    train: list[LabelledText] = []
    held_out: list[LabelledText] = []
    for label in sorted(by_label):
        groups = list(by_label[label].values())
        Random(f"{seed} {label}").shuffle(groups)
        num_held = min(len(groups) - 1, round(share * len(groups)))
        held_out += [one for group in groups[:num_held] for one in group]
        train += [one for group in groups[num_held:] for one in group]
    return Parts(train, held_out, [one for one in texts if one.label in none])


def ambiguous(texts: Sequence[LabelledText]) -> int:
    """How many texts carry two labels or more."""
    return sum(num > 1 for num in Counter(one.text for one in set(texts)).values())


def _jsonl(source: Source, text: str, label: str) -> Iterator[LabelledText]:
    with open_text(source) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise CorpusError(f"is no JSON: {error}", path=source.path, line=number) from error
            yield _labelled(record if isinstance(record, dict) else {}, text, label, source, number)


def _table(source: Source, text: str, label: str) -> Iterator[LabelledText]:
    with open_text(source) as file:
        header = file.readline()
        delimiter = "\t" if "\t" in header else ";" if ";" in header and "," not in header else ","
        names = next(csv.reader(io.StringIO(header), delimiter=delimiter), [])
        try:
            rows = csv.DictReader(file, names, delimiter=delimiter)
            for number, record in enumerate(rows, start=2):
                yield _labelled(dict(record), text, label, source, number)
        except csv.Error as error:
            raise CorpusError(f"is no table: {error}; check its quotes", path=source.path) from error


def _labelled(record: dict[str, object], text: str, label: str, source: Source, number: int) -> LabelledText:
    values = {name: record.get(name) for name in (text, label)}
    for name, value in values.items():
        if not isinstance(value, str | int) or isinstance(value, bool) or not str(value).strip():
            known = ", ".join(repr(key) for key in record if key) or "nothing"
            raise CorpusError(
                f"has no {name!r} (it has {known}); name the fields with --text and --label",
                path=source.path,
                line=number,
            )
    return LabelledText(str(values[text]).strip(), str(values[label]).strip())
