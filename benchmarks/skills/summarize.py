"""Summaries of tweetsumm's dialogues against what people wrote: ROUGE, beside lead-k and LexRank.

    python -m benchmarks.skills.summarize            # the valid part, saved
    python -m benchmarks.skills.summarize --tune     # learn skills/summarize/weights.toml on the train part
    python -m benchmarks.skills.summarize --drafts 30    # also a model's drafts, on the first 30

ROUGE-1, -2 and -L are F1 over the words of `dialog.metrics.tokens`, against each
of a dialogue's references, their mean. Links, handles and initials are removed
for all. k of lead-k and of LexRank was chosen on the train part, as were the
weights; both baselines are also given our labels ("Customer: ", "Agent: ").
Intervals resample dialogues.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

import skills.summarize
from benchmarks import markdown, save
from benchmarks.skills import with_interval
from benchmarks.skills._tweetsumm import Dialogue, dialogues
from dialog.claims import content_terms
from dialog.metrics.rouge import rouge_l_of
from dialog.metrics.tokens import SIGNATURE, metric_tokens, ngrams
from skills.summarize import Input, summarised
from skills.summarize.drafts import drafted
from skills.summarize.extract import written
from skills.summarize.sentences import NAMES, Told, features, told_in

Summariser = Callable[[Dialogue], str]
_MEASURES = ("ROUGE-1", "ROUGE-2", "ROUGE-L")
_SIZES = (1, 2, 3, 4, 5)
_RIDGE = 5.0


def rouge_n(given: str, wanted: str, order: int) -> float:
    """F1 of n-grams in [0, 1]; 0 where either has none. Source: Lin 2004, section 2, as an F1."""
    one, other = (Counter(ngrams(metric_tokens(text), order)) for text in (given, wanted))
    both = sum((one & other).values())
    return 2 * both / max(1, one.total() + other.total())


def scores(text: str, references: Sequence[str]) -> tuple[float, float, float]:
    """ROUGE-1, -2 and -L, each the mean over the references."""
    each = [(rouge_n(text, one, 1), rouge_n(text, one, 2), rouge_l_of(text, one)) for one in references]
    first, second, longest = np.mean(each, axis=0)
    return float(first), float(second), float(longest)


def lead(dialogue: Dialogue, *, k: int, labelled: bool) -> str:
    """The first k sentences."""
    return _text(told_in(dialogue.messages)[:k], labelled=labelled)


def lexrank(dialogue: Dialogue, *, k: int, labelled: bool) -> str:
    """The k most central sentences.

    Source: Erkan and Radev 2004, "LexRank", section 3.3 (continuous), damping 0.85; tf-idf within the
    dialogue.
    """
    told = told_in(dialogue.messages)
    if not told:
        return ""
    ranks = _centralities([one.text for one in told])
    best = sorted(np.argsort(-ranks, kind="stable")[:k].tolist())
    return _text([told[at] for at in best], labelled=labelled)


def ours(dialogue: Dialogue) -> str:
    """What the skill gives by default."""
    return summarised(Input(messages=dialogue.messages, language="en")).text


def _text(told: Sequence[Told], *, labelled: bool) -> str:
    return written(told, "en") if labelled else " ".join(one.text for one in told)


def _centralities(texts: Sequence[str]) -> np.ndarray:
    terms = [sorted(content_terms(text)) for text in texts]
    frequency = Counter(term for one in terms for term in one)
    columns = {term: number for number, term in enumerate(frequency)}
    rows = np.zeros((len(texts), max(1, len(columns))))
    for row, one in zip(rows, terms, strict=True):
        for term in one:
            row[columns[term]] = np.log(1 + len(texts) / frequency[term])
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    likeness = rows @ rows.T + 1e-9
    walk = 0.15 / len(texts) + 0.85 * likeness / likeness.sum(axis=1, keepdims=True)
    ranks = np.full(len(texts), 1 / len(texts))
    for _ in range(100):
        ranks = ranks @ walk
    return ranks


def best_size(make: Callable[..., str], train: Sequence[Dialogue]) -> int:
    """The k with the highest sum of the three measures on the train part, labels given."""

    def total(k: int) -> float:
        return sum(sum(scores(make(one, k=k, labelled=True), one.references)) for one in train)

    return max(_SIZES, key=total)


def learned(train: Sequence[Dialogue]) -> Mapping[str, np.ndarray]:
    """Ridge regression of a sentence's own ROUGE (1 + 2 twice + L) on its features, for each speaker."""
    rows: dict[str, list[np.ndarray]] = {"user": [], "agent": []}
    gains: dict[str, list[float]] = {"user": [], "agent": []}
    for dialogue in train:
        told = told_in(dialogue.messages)
        for row, one in zip(features(told), told, strict=True):
            first, second, longest = scores(one.text, dialogue.references)
            rows[one.speaker].append(row)
            gains[one.speaker].append(first + 2 * second + longest)
    found = {}
    for speaker, own in rows.items():
        x = np.array(own)
        found[speaker] = np.linalg.solve(
            x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ np.array(gains[speaker])
        )
    return found


def _keep(weights: Mapping[str, np.ndarray]) -> None:
    lines = [
        "# What a sentence's features (skills.summarize.sentences) say for its place in a summary.",
        "# Made by: python -m benchmarks.skills.summarize --tune",
    ]
    for speaker, row in weights.items():
        lines += [
            "",
            f"[{speaker}]",
            *(f"{name} = {value:.4f}" for name, value in zip(NAMES, row, strict=True)),
        ]
    path = Path(skills.summarize.__file__).parent / "weights.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _summarisers(train: Sequence[Dialogue]) -> dict[str, Summariser]:
    found: dict[str, Summariser] = {}
    for name, make in (("lead", lead), ("LexRank", lexrank)):
        k = best_size(make, train)
        for labelled in (False, True):
            label = f"{name}-{k}" + (", labelled" if labelled else "")
            found[label] = partial(make, k=k, labelled=labelled)
    return {**found, "`summarize`, extracted": ours}


def _with_drafts(summarisers: dict[str, Summariser]) -> dict[str, Summariser]:
    from dialog.engine.load import open_model
    from dialog.settings import ModelSection

    model = open_model(ModelSection(threads=1))

    def draft(dialogue: Dialogue) -> str:
        item = Input(messages=dialogue.messages, language="en")
        return drafted(item, model).text or ours(dialogue)

    return {**summarisers, f"`summarize`, drafted ({model.info.name})": draft}


def main(arguments: list[str]) -> int:
    train, valid = dialogues("train"), dialogues("valid")
    if not train:
        print("tweetsumm is not there: set INSTRUCTREC_DATA; nothing measured")
        return 0
    if "--tune" in arguments:
        _keep(learned(train))
        return 0
    summarisers = _summarisers(train)
    with_drafts = "--drafts" in arguments
    if with_drafts:
        valid = valid[: int(arguments[arguments.index("--drafts") + 1])]
        summarisers = _with_drafts(summarisers)
    per = {name: [scores(make(one), one.references) for one in valid] for name, make in summarisers.items()}
    columns = {name: list(zip(*rows, strict=True)) for name, rows in per.items()}
    table = markdown(
        ("", *_MEASURES), [(name, *map(with_interval, found)) for name, found in columns.items()]
    )
    own = columns["`summarize`, extracted"]
    ahead = {
        name: [with_interval(np.subtract(a, b).tolist()) for a, b in zip(own, found, strict=True)]
        for name, found in columns.items()
        if found is not own
    }
    table += "\n\n`summarize` is ahead of each by:\n\n" + markdown(
        ("", *_MEASURES), [(name, *row) for name, row in ahead.items()]
    )
    values = {
        "signature": f"f1|stem:no|{SIGNATURE}|avg:reference,dialogue",
        "num_dialogues": len(valid),
        "means": {
            name: dict(zip(_MEASURES, np.mean(rows, axis=0).tolist(), strict=True))
            for name, rows in per.items()
        },
        "ahead": ahead,
    }
    save("skills-summarize-drafts" if with_drafts else "skills-summarize", values, table=table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
