"""The turns as the page shows them: both answers to a question together, the worst regressions first.

A turn regresses where A fails and B does not, else by how much A's score is
worse than B's. With one agent, failed turns and low scores come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dialog.metrics.metric import Metric
from dialog.replay.failures import Failure
from dialog.replay.saved import Key, SavedTurn
from dialog.replay.scoring import turn_score

PREFERRED = ("chrf", "token_f1", "rouge_l", "bleu")
"""By which metric turns are sorted: the first of these that is computed, else the first with a direction."""


@dataclass(frozen=True)
class Pair:
    """One question and what became of it; `score` is None where the metric says nothing."""

    a: SavedTurn | None
    b: SavedTurn | None
    failures_a: tuple[Failure, ...]
    failures_b: tuple[Failure, ...]
    score_a: float | None
    score_b: float | None
    gain: float
    """A's advantage, larger is better; with one agent its score."""

    @property
    def turn(self) -> SavedTurn:
        """Either answer, for what both share."""
        one = self.a or self.b
        assert one is not None, "a pair has an answer"
        return one

    @property
    def intent(self) -> str:
        return self.turn.wanted.intent or self.turn.given.intent or ""

    @property
    def kinds(self) -> list[str]:
        return sorted({failure.kind for failure in (*self.failures_a, *self.failures_b)})


def sorting_metric(metrics: Sequence[Metric]) -> Metric | None:
    """The metric turns are sorted by; None if none has a direction."""
    by_name = {metric.name: metric for metric in metrics}
    preferred = [by_name[name] for name in PREFERRED if name in by_name]
    directed = [metric for metric in metrics if metric.higher_is_better is not None]
    return next(iter([*preferred, *directed]), None)


def pairs(
    turns: Iterable[SavedTurn],
    failures: Mapping[Key, tuple[Failure, ...]],
    metric: Metric | None,
    *,
    is_comparison: bool,
) -> list[Pair]:
    """All questions, the worst first; ties in the order of conversations."""
    found: dict[tuple[str, int, int], dict[str, SavedTurn]] = {}
    for turn in turns:
        found.setdefault((turn.conversation_id, turn.turn, turn.seed), {})[turn.agent] = turn
    made = {
        place: _pair(both.get("a"), both.get("b"), failures, metric, is_comparison=is_comparison)
        for place, both in sorted(found.items())
    }
    ordered = sorted(
        made.items(),
        key=lambda item: (len(item[1].failures_b) - len(item[1].failures_a), item[1].gain, item[0]),
    )
    return [pair for _, pair in ordered]


def _pair(
    a: SavedTurn | None,
    b: SavedTurn | None,
    failures: Mapping[Key, tuple[Failure, ...]],
    metric: Metric | None,
    *,
    is_comparison: bool,
) -> Pair:
    score_a, score_b = (turn_score(metric, one) if metric and one else None for one in (a, b))
    sign = -1 if metric is not None and metric.higher_is_better is False else 1
    gain = sign * ((score_a or 0.0) - ((score_b or 0.0) if is_comparison else 0.0))
    return Pair(
        a=a,
        b=b,
        failures_a=failures.get(a.key, ()) if a else (),
        failures_b=failures.get(b.key, ()) if b else (),
        score_a=score_a,
        score_b=score_b,
        gain=gain,
    )
