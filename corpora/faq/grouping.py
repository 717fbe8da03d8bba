"""Questions that ask the same: near in meaning, and with the same figures and the same polarity.

Greedy: each question joins the first group whose leader is near enough, so no
chain of small steps leads from one question to another. Meaning alone would
join "can I return it after 7 days" with "after 30 days"; figures and denials
are compared exactly.

    same_questions(["怎么退货？", "如何退货"], embedder)     # [[0, 1]]
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dialog.claims import figures_in, is_negated
from dialog.protocols import Embedder
from dialog.text import detect_language, words

SIMILARITY = 0.94
"""Cosine of e5 embeddings; `benchmarks/faq.py` says how often people give such pairs one label."""


def same_questions(
    questions: Sequence[str], embedder: Embedder, *, similarity: float = SIMILARITY
) -> list[list[int]]:
    """Groups of places in `questions`, the largest first, each in order; all places are in one group each."""
    if not questions:
        return []
    by_text: dict[str, list[int]] = {}
    for number, question in enumerate(questions):
        by_text.setdefault(" ".join(words(question)), []).append(number)
    firsts = [numbers[0] for numbers in by_text.values()]
    vectors = np.asarray(embedder.embed_queries([questions[number] for number in firsts]), dtype=np.float32)
    leaders: list[int] = []
    groups: list[list[int]] = []
    guards = [_guard(questions[number]) for number in firsts]
    matrix = np.empty_like(vectors)
    for place, numbers in enumerate(by_text.values()):
        near = matrix[: len(leaders)] @ vectors[place]
        fitting = (
            [
                group
                for group in np.argsort(-near, kind="stable").tolist()
                if near[group] >= similarity and guards[leaders[group]] == guards[place]
            ]
            if len(leaders) and near.max() >= similarity
            else []
        )
        if fitting:
            groups[fitting[0]] += numbers
        else:
            matrix[len(leaders)] = vectors[place]
            leaders.append(place)
            groups.append(list(numbers))
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group[0]))


def _guard(question: str) -> tuple[frozenset[str], bool, str]:
    return frozenset(figures_in(question)), is_negated(question), detect_language(question)
