"""What a customer wants: the seam for intent classifiers, and one that needs no training.

`ZeroShot` compares a message with the example sentences of the flows. How sure
it is, it learns from those sentences themselves: each is left out in turn and
classified by the others, beside sentences that belong to no flow, and a
logistic curve over similarity and lead is fitted to what came out right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dialog.protocols import Embedder
from dialog.text import sentences
from dialog.values import Value
from skills.support.flows import Flows
from skills.support.out_of_scope import SENTENCES

Floats = NDArray[np.float64]
_FIGURES = re.compile(r"[#$€£¥]?(?<![A-Za-z])[A-Za-z]{0,8}-?\d[\w.,-]*", re.ASCII)
_RIDGE = 1e-3
_STEPS = 50
_MAX_SENTENCES = 8
_NEIGHBOURS = 2
"""So many of an intent's nearest examples are averaged: one odd example decides nothing alone."""


class Understood(Protocol):
    """What a classifier says of one message."""

    @property
    def name(self) -> str | None:
        """The intent, None if it is none of those known."""
        ...

    @property
    def confidence(self) -> float: ...

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]: ...


class IntentClassifier(Protocol):
    """Names the intent of messages; calibrated, and able to say that it is none."""

    def classify(self, texts: Sequence[str]) -> Sequence[Understood]:
        """One for each text, in order."""
        ...


def understood(classifier: IntentClassifier, text: str) -> Understood:
    """What the message is for: as a whole, or by its clearest sentence where it says more than one thing."""
    parts = [text[start:end] for start, end in sentences(text)][:_MAX_SENTENCES]
    found = classifier.classify([text, *parts] if len(parts) > 1 else [text])
    return max(found, key=lambda one: (one.name is not None, one.confidence))


class Intent(Value):
    """Implements `Understood`. `ranked` is every intent with its own probability, most likely first.

    Where `name` is None, `confidence` is that of the most likely intent, which was not believed.
    """

    name: str | None
    confidence: float
    ranked: tuple[tuple[str, float], ...]


class ZeroShot:
    """An `IntentClassifier` from the flows' example sentences and an embedder."""

    def __init__(self, flows: Flows, embedder: Embedder) -> None:
        pairs = [(name, text) for name, flow in flows.flows.items() for text in flow.examples.all()]
        self._names = tuple(flows.flows)
        self._embedder = embedder
        self._threshold = flows.threshold
        self._owner = np.array([self._names.index(name) for name, _ in pairs])
        strangers = (*SENTENCES, *flows.out_of_scope.all())
        texts = [_wordy(text) for text in (*(text for _, text in pairs), *strangers)]
        vectors = _unit(embedder.embed_queries(texts))
        self._examples = vectors[: len(pairs)]
        self._weights = self._calibrated(vectors[len(pairs) :])

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        if not texts:
            return []
        if not self._names:
            return [Intent(name=None, confidence=0.0, ranked=()) for _ in texts]
        similarity_TN = (
            _unit(self._embedder.embed_queries([_wordy(text) for text in texts])) @ self._examples.T
        )
        return [self._intent(self._scores(row)) for row in similarity_TN]

    def _intent(self, scores: Floats) -> Intent:
        probabilities = _logistic(_features(scores) @ self._weights)
        order = np.argsort(-probabilities, kind="stable")
        ranked = tuple((self._names[at], float(probabilities[at])) for at in order)
        name, confidence = ranked[0]
        return Intent(
            name=name if confidence >= self._threshold else None, confidence=confidence, ranked=ranked
        )

    def _scores(self, similarity_N: Floats) -> Floats:
        """One score an intent: the mean of its nearest examples."""
        scores = np.empty(len(self._names))
        for at in range(len(self._names)):
            own = np.sort(similarity_N[self._owner == at])
            scores[at] = own[-_NEIGHBOURS:].mean()
        return scores

    def _calibrated(self, strangers: Floats) -> Floats:
        """Weights of the curve: left-out examples are right at their own intent, strangers at none."""
        if not self._names:
            return np.zeros(3)
        rows, right = [], []
        similarity = self._examples @ self._examples.T
        np.fill_diagonal(similarity, -1.0)
        for owner, scores in zip(self._owner, map(self._scores, similarity), strict=True):
            rows.append(_features(scores)[owner])
            right.append(1.0)
            top = int(np.argmax(scores))
            if top != owner:
                rows.append(_features(scores)[top])
                right.append(0.0)
        for scores in map(self._scores, strangers @ self._examples.T):
            rows.append(_features(scores)[int(np.argmax(scores))])
            right.append(0.0)
        return _fitted(np.array(rows), np.array(right))


def _wordy(text: str) -> str:
    """Without numbers and identifiers: an order number says nothing about what is wanted."""
    return " ".join(_FIGURES.sub(" ", unicodedata.normalize("NFKC", text)).split()) or text


def _features(scores: Floats) -> Floats:
    """For each intent: how near it is, its lead over the best other one, and 1."""
    order = np.sort(scores)
    best, second = order[-1], order[-2] if len(order) > 1 else order[-1] - 0.1
    others = np.where(scores == best, second, best)
    return np.stack([scores * 10, (scores - others) * 10, np.ones_like(scores)], axis=1)


def _fitted(features_NF: Floats, right_N: Floats) -> Floats:
    """Logistic regression by Newton's steps, lightly ridged."""
    weights = np.zeros(features_NF.shape[1])
    for _ in range(_STEPS):
        chance = _logistic(features_NF @ weights)
        slope = features_NF.T @ (right_N - chance) - _RIDGE * weights
        bend = (features_NF * (chance * (1 - chance))[:, None]).T @ features_NF
        step = np.linalg.solve(bend + _RIDGE * np.eye(len(weights)), slope)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return weights


def _logistic(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30, 30))))


def _unit(rows: Iterable[Sequence[float]]) -> Floats:
    return np.asarray(rows, dtype=np.float64)


__all__ = ["Intent", "IntentClassifier", "Understood", "ZeroShot", "understood"]
