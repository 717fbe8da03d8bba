"""How sure we are that the passages answer the query: one confidence in [0, 1], one threshold a language.

The evidence is how near the best passage is to the query (cosine, against what
the embedder gives unrelated text), how much of the query's informative terms
it contains, and whether both legs found it. A logistic curve over these,
fitted on `benchmarks/abstention.py`'s own questions, makes it a probability.

    confidence(evidence, language="zh") < THRESHOLDS["zh"]      # then abstain
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dialog.values import Language


@dataclass(frozen=True)
class Evidence:
    """What speaks for the best passage.

    `cosine` of the query and the best passage; `margin` of that over the mean
    of the candidates; `coverage`, the share of the query's informative terms
    (weighted by rarity) it contains; `agreement`, 1 if both legs rank it among
    their first three.
    """

    cosine: float
    margin: float
    coverage: float
    agreement: float


@dataclass(frozen=True)
class Curve:
    """Weights of a logistic curve over the evidence."""

    bias: float
    cosine: float
    margin: float
    coverage: float
    agreement: float

    def __call__(self, evidence: Evidence) -> float:
        total = (
            self.bias
            + self.cosine * evidence.cosine
            + self.margin * evidence.margin
            + self.coverage * evidence.coverage
            + self.agreement * evidence.agreement
        )
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


_DEFAULT = Curve(bias=-3.0, cosine=0.0, margin=10.0, coverage=4.0, agreement=1.0)
CURVES: Mapping[Language, Curve] = {"en": _DEFAULT, "zh": _DEFAULT, "und": _DEFAULT}
THRESHOLDS: Mapping[Language, float] = {"en": 0.5, "zh": 0.5, "und": 0.5}


def confidence(evidence: Evidence | None, *, language: Language) -> float:
    """The probability that the passages answer; 0 without any passage."""
    return CURVES[language](evidence) if evidence else 0.0
