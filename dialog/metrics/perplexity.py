"""Cross-entropy and perplexity of the wanted replies, per supervised token.

The sum over tokens is divided once, so that padding and batch size change
nothing. An agent that gives no log-probabilities has neither: there is no value
that would stand for a missing one. Comparable only between models of one tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio

if TYPE_CHECKING:
    from dialog.metrics.metric import Floats

_SIGNATURE = "log:natural|per:supervised-token|avg:corpus"


def cross_entropy() -> Ratio:
    """Nats per token."""
    return Ratio("cross_entropy", "nats", False, _SIGNATURE, _part)


class Perplexity:
    """exp of the cross-entropy per token, at least 1."""

    name = "perplexity"
    unit = "perplexity"
    higher_is_better: bool | None = False
    signature = _SIGNATURE
    size = 2

    def tally(self, turns: Sequence[JudgedTurn]) -> Floats:
        return cross_entropy().tally(turns)

    def value(self, sums: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.exp(cross_entropy().value(sums))


def _part(turn: JudgedTurn) -> Part | None:
    logprobs = turn.given.logprobs
    return None if not logprobs else (-sum(logprobs), len(logprobs))
