"""Confidence curves from judged questions, and honest figures for them.

A curve is pulled towards the one it starts from, the more the fewer questions
there are; the two kinds of question weigh alike, however many there are of
each. Figures and threshold come from confidences that each question got from a
curve fitted without it (nor any question of its group: a question and the same
question with its document hidden stay together).

    fitted = fit_curve(judged, prior=CURVES["en"])
    print(fitted.curve, fitted.threshold, fitted.auroc)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from dialog.knowledge.abstain import Curve, Evidence

_FOLDS = 5
_STEPS = 50
_BINS = 10


@dataclass(frozen=True)
class Judged:
    """A question's evidence and whether the documents answer it; `group` ties questions that go together."""

    evidence: Evidence
    is_answerable: bool
    group: str = ""


@dataclass(frozen=True)
class Figures:
    """How well confidences tell answerable questions from the others; both kinds weigh alike.

    `calibration_error` is the expected calibration error over ten bins of equal width.
    """

    auroc: float
    answerable_answered: float
    unanswerable_abstained: float
    precision: float
    calibration_error: float


@dataclass(frozen=True)
class Fitted:
    """A curve, the threshold that parts the kinds best, and figures of questions the curve had not seen."""

    curve: Curve
    threshold: float
    figures: Figures


def fit_curve(judged: Sequence[Judged], *, prior: Curve | None = None, pull: float = 1.0) -> Fitted:
    """Fit, choose a threshold and measure; needs questions of both kinds.

    The slopes stay the nearer to those of `prior` the greater `pull`; the bias is free.

    The threshold is the middle of the confidences between which the share of
    answerable questions answered and that of unanswerable ones abstained from
    have the greatest sum.
    """
    folds = _folds(judged)
    unseen = np.empty(len(judged))
    for fold in np.unique(folds):
        curve = weights(
            [one for one, own in zip(judged, folds, strict=True) if own != fold], prior=prior, pull=pull
        )
        for i in np.flatnonzero(folds == fold).tolist():
            unseen[i] = curve(judged[i].evidence)
    wanted = np.array([one.is_answerable for one in judged])
    threshold = best_threshold(unseen, wanted)
    return Fitted(
        curve=weights(judged, prior=prior, pull=pull),
        threshold=threshold,
        figures=figures(unseen, wanted, threshold=threshold),
    )


def weights(judged: Sequence[Judged], *, prior: Curve | None = None, pull: float = 1.0) -> Curve:
    """Ridge-penalised logistic regression by Newton's method; the penalty is on the way from `prior`."""
    features = np.array([astuple(one.evidence) for one in judged])
    wanted = np.array([one.is_answerable for one in judged], dtype=float)
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    rows = np.hstack([np.ones((len(judged), 1)), (features - mean) / spread])
    share = min(max(wanted.mean(), 1e-6), 1 - 1e-6)
    importance = np.where(wanted == 1, 0.5 / share, 0.5 / (1 - share))
    start = np.zeros(rows.shape[1])
    if prior is not None:
        bias, *slopes = astuple(prior)
        start = np.array([bias + np.dot(slopes, mean), *(np.array(slopes) * spread)])
    penalty = pull * np.diag([1e-6, *[1.0] * features.shape[1]])

    def loss(weights: np.ndarray) -> float:
        signed = (rows @ weights) * np.where(wanted == 1, -1.0, 1.0)
        away = weights - start
        return float(importance @ np.logaddexp(0.0, signed) + 0.5 * away @ penalty @ away)

    found = start.copy()
    for _ in range(_STEPS):
        guess = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (importance * (guess - wanted)) + penalty @ (found - start)
        curvature = (rows.T * (importance * guess * (1 - guess))) @ rows + penalty
        step, before = np.linalg.solve(curvature, slope), loss(found)
        while loss(found - step) > before and np.abs(step).max() > 1e-6:
            step = step / 2
        found = found - step
    slopes = found[1:] / spread
    return Curve(*(round(float(value), 4) for value in (found[0] - slopes @ mean, *slopes)))


def best_threshold(sure: np.ndarray, wanted: np.ndarray) -> float:
    """Where answering from that confidence on parts the kinds best; of equals, the middle."""
    cuts = np.unique(sure)
    middles = np.array([0.5, *((cuts[1:] + cuts[:-1]) / 2)]) if len(cuts) > 1 else np.array([0.5])
    gains = [(sure[wanted] >= cut).mean() + (sure[~wanted] < cut).mean() for cut in middles]
    best = middles[np.isclose(gains, max(gains))]
    return round(float(np.median(best)), 3)


def figures(sure: np.ndarray, wanted: np.ndarray, *, threshold: float) -> Figures:
    """Figures of confidences; `wanted` says which questions are answerable, and holds both kinds."""
    pairs = sure[wanted][:, None] - sure[~wanted]
    answered, abstained = (sure[wanted] >= threshold).mean(), (sure[~wanted] < threshold).mean()
    weight = np.where(wanted, 0.5 / wanted.mean(), 0.5 / (1 - wanted.mean())) / len(sure)
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    error = sum(abs((weight * (sure - wanted))[bins == own].sum()) for own in np.unique(bins))
    return Figures(
        auroc=float((pairs > 0).mean() + 0.5 * (pairs == 0).mean()),
        answerable_answered=float(answered),
        unanswerable_abstained=float(abstained),
        precision=float(answered / (answered + 1 - abstained)) if answered + 1 - abstained else 0.0,
        calibration_error=float(error),
    )


def _folds(judged: Sequence[Judged]) -> np.ndarray:
    """The fold of each question: whole groups, dealt out kind by kind."""
    groups: dict[str, int] = {}
    for i in sorted(range(len(judged)), key=lambda i: judged[i].is_answerable):
        groups.setdefault(judged[i].group or f"#{i}", len(groups) % _FOLDS)
    return np.array([groups[one.group or f"#{i}"] for i, one in enumerate(judged)])
