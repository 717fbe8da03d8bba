"""Choosing one of some labels with a language model: by how likely it finds each, not by what it writes.

    chooser = Chooser(model, Wording("Message: {text}\nTopics: {labels}\nTopic:", blank="N/A"))
    choice = chooser.choose("Where is my parcel?", ["delivery", "refund"])
    choice.ranked[0], choice.probabilities

Three corrections, each against a known bias: a label's score is the mean over its
tokens (long names are not punished), less the score it has after a text that says nothing
(names the model likes anyway are not favoured), and a mean over rotations of the list of
labels, so that each has stood in several places.

Sources: Zhao et al. (2021), "Calibrate Before Use", section 4, on the log scale; Zheng et
al. (2024), "Large Language Models Are Not Robust Multiple Choice Selectors", whose cyclic
permutations the rotations are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialog.protocols import LanguageModel
from dialog.values import FitReport, Prompt
from skills.choosing.measures import expected_calibration_error, ranked

__all__ = ["Choice", "Chooser", "Wording", "expected_calibration_error", "ranked"]

_TEXT_TOKENS = 256
"""A text is read so far; what is cut is said by `Choice.is_cut`."""


@dataclass(frozen=True)
class Wording:
    """How the model is asked.

    Attributes:
        ask: with `{text}` and `{labels}`, ending where the label would be written.
        blank: a text that says nothing, in the wording's language.
        before: what stands before a label that is written, a space in English.
        joint: between the labels of the list.
    """

    ask: str
    blank: str = "N/A"
    before: str = " "
    joint: str = ", "


@dataclass(frozen=True)
class Choice:
    """Probabilities of the labels, in the order they were given; together 1."""

    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    is_cut: bool = False

    @property
    def ranked(self) -> tuple[tuple[str, float], ...]:
        return ranked(self.labels, self.probabilities)


class Chooser:
    """See the module.

    Args:
        num_orders: rotations of the list that are averaged; each costs a pass over the text.
        temperature: the differences of mean log-probabilities are divided by it.
        is_corrected: whether what follows the blank text is taken off.
    """

    def __init__(
        self,
        model: LanguageModel,
        wording: Wording,
        *,
        num_orders: int = 4,
        temperature: float = 1.0,
        is_corrected: bool = True,
    ) -> None:
        self._model, self._wording = model, wording
        self._num_orders, self._temperature = num_orders, temperature
        self._is_corrected = is_corrected
        self._of_blank: dict[tuple[str, ...], list[float]] = {}

    def choose(self, text: str, labels: Sequence[str]) -> Choice:
        """Raises ValueError: fewer than two labels, or one twice. Raises ModelError."""
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise ValueError(f"labels must be two or more and differ: {labels!r}")
        cut, is_cut = self._read(text)
        scores = dict.fromkeys(labels, 0.0)
        orders = rotations(labels, self._num_orders)
        for order in orders:
            for label, score in self._scores(cut, order).items():
                scores[label] += score / len(orders)
        return Choice(tuple(labels), softmax([scores[one] / self._temperature for one in labels]), is_cut)

    def _scores(self, text: str, order: Sequence[str]) -> Mapping[str, float]:
        """Corrected mean log-probability of each label."""
        found = self._means(text, order)
        if not self._is_corrected:
            return dict(zip(order, found, strict=True))
        key = tuple(order)
        if key not in self._of_blank:
            self._of_blank[key] = self._means(self._wording.blank, order)
        return {
            label: mean - blank for label, mean, blank in zip(order, found, self._of_blank[key], strict=True)
        }

    def _means(self, text: str, order: Sequence[str]) -> list[float]:
        asked = self._wording.ask.replace("{labels}", self._wording.joint.join(order))
        before, _, after = asked.partition("{text}")
        prompt = f"{before}{text}{after}"
        ids = tuple(self._model.tokenizer.encode(prompt)[0])
        fit = FitReport(limit_tokens=len(ids), used_tokens=len(ids), reserved_tokens=0)
        asked_prompt = Prompt(text=prompt, ids=ids, segments=(), fit=fit)
        scored = self._model.score(asked_prompt, [f"{self._wording.before}{label}" for label in order])
        return [sum(one.logprobs) / max(1, len(one.logprobs)) for one in scored]

    def _read(self, text: str) -> tuple[str, bool]:
        _, spans = self._model.tokenizer.encode(text)
        if len(spans) <= _TEXT_TOKENS:
            return text, False
        return text[: spans[_TEXT_TOKENS - 1][1]], True


def rotations(labels: Sequence[str], num: int) -> list[list[str]]:
    """At most `num` rotations of the list, evenly apart; with as many as labels each stands everywhere."""
    num = max(1, min(num, len(labels)))
    starts = [number * len(labels) // num for number in range(num)]
    return [[*labels[start:], *labels[:start]] for start in starts]


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    """Probabilities; of no scores, none."""
    if not scores:
        return ()
    most = max(scores)
    weights = [math.exp(score - most) for score in scores]
    return tuple(weight / sum(weights) for weight in weights)
