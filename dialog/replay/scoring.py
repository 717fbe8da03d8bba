"""From answered turns to the outcome: tallies by conversation, intervals, gates, failures.

    outcome = score(turns, metrics=metrics, gates=gates, told=Told(...))

A metric is given all turns of a conversation, those of every seed: the
conversation stays the unit of chance.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dialog.metrics.judged import Ending
from dialog.metrics.metric import Metric
from dialog.replay.failures import Failure, crashed_agents, failures
from dialog.replay.gates import Gate, decide, verdict_of
from dialog.replay.outcome import (
    CRASHED,
    EXIT_CODES,
    Data,
    Fingerprints,
    GateOutcome,
    Interval,
    MetricOutcome,
    Mode,
    Outcome,
)
from dialog.replay.saved import Key, Label, SavedTurn
from dialog.replay.statistics import Draws, Estimate, Sample
from dialog.replay.succeeded import with_verdicts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEVEL = 0.95


@dataclass(frozen=True)
class Told:
    """What the outcome says besides what is computed."""

    seeds: tuple[int, ...]
    fingerprints: Fingerprints
    data: Data
    notes: tuple[str, ...] = field(default=())
    mode: Mode = "forced"
    gap: Mapping[str, MetricOutcome] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """The outcome, and what is wrong at each turn."""

    outcome: Outcome
    failures: Mapping[Key, tuple[Failure, ...]]


def score(
    turns: Iterable[SavedTurn], *, metrics: Sequence[Metric], gates: Sequence[Gate], told: Told
) -> Scored:
    """Compute everything; the order of `turns` does not matter."""
    ordered = sorted(turns, key=lambda turn: (turn.conversation_id, turn.turn, turn.agent, turn.seed))
    ids = sorted({turn.conversation_id for turn in ordered})
    is_comparison = told.fingerprints.b is not None
    outcomes: dict[str, MetricOutcome] = {}
    estimates: dict[tuple[str, bool], Estimate] = {}
    found = {turn.key: tuple(failures(turn)) for turn in ordered}
    judged = with_verdicts(ordered, found)
    tallied = {label: by_conversation(judged, label) for label in _labels(is_comparison)}
    draws = Draws(ids) if ids else None
    for metric in metrics:
        b = tallies(metric, tallied["b"], ids) if is_comparison else None
        sample = Sample(draws, tallies(metric, tallied["a"], ids), b, metric.value) if draws else None
        outcomes[metric.name] = outcome_of(metric, sample, is_comparison=is_comparison)
        if sample is not None:
            estimates[metric.name, False] = sample.of_a()
            if is_comparison:
                estimates[metric.name, True] = sample.difference()
    decisions = decide(gates, estimates)
    verdict = verdict_of(decisions)
    crashed = crashed_agents(ordered)
    notes = [f"agent {label.upper()} answered no turn at all" for label in crashed]
    outcome = Outcome(
        verdict="fail" if crashed else verdict,
        exit_code=CRASHED if crashed else EXIT_CODES[verdict],
        mode=told.mode,
        seeds=told.seeds,
        num_conversations=len(ids),
        num_turns=len({(turn.conversation_id, turn.turn) for turn in ordered}),
        metrics=outcomes,
        gates=tuple(
            GateOutcome(expr=one.gate.expr, verdict=one.verdict, reason=one.reason) for one in decisions
        ),
        failures=tuple(failure for turn in ordered for failure in found[turn.key]),
        fingerprints=told.fingerprints,
        data=told.data,
        endings=_endings(ordered),
        gap=dict(told.gap),
        notes=(*told.notes, *notes),
    )
    return Scored(outcome, found)


def tallies(metric: Metric, conversations: Mapping[str, Sequence[SavedTurn]], ids: Sequence[str]) -> Floats:
    """One row a conversation, shape (len(ids), metric.size); of every seed."""
    rows = np.zeros((len(ids), metric.size))
    for row, conversation_id in enumerate(ids):
        rows[row] = metric.tally(conversations.get(conversation_id, ()))
    return rows


def turn_score(metric: Metric, turn: SavedTurn) -> float | None:
    """The metric of one turn alone; None where it does not apply."""
    return known(float(metric.value(metric.tally([turn]))))


def known(value: float) -> float | None:
    """None for NaN and infinities, which JSON does not have."""
    return value if math.isfinite(value) else None


def _labels(is_comparison: bool) -> tuple[Label, ...]:
    return ("a", "b") if is_comparison else ("a",)


def by_conversation(ordered: Sequence[SavedTurn], label: Label) -> dict[str, list[SavedTurn]]:
    """An agent's turns by conversation; seed after seed, each in order.

    Args:
        ordered: by turn.
    """
    found: dict[str, list[SavedTurn]] = defaultdict(list)
    for turn in sorted(ordered, key=lambda turn: turn.seed):
        if turn.agent == label:
            found[turn.conversation_id].append(turn)
    return found


def outcome_of(metric: Metric, sample: Sample | None, *, is_comparison: bool) -> MetricOutcome:
    """What a sample says of a metric; all n/a without one."""
    about = {
        "signature": metric.signature,
        "higher_is_better": metric.higher_is_better,
        "unit": metric.unit,
    }
    if sample is None:
        return MetricOutcome.model_validate({"a": None, **about})
    a = sample.of_a()
    b = sample.of_b() if is_comparison else None
    judged = sample.difference() if is_comparison else a
    return MetricOutcome.model_validate(
        {
            "a": known(a.point),
            "b": known(b.point) if b else None,
            "difference": known(judged.point) if b else None,
            "ci95": _interval(judged),
            "p_value": known(sample.p_value()) if b else None,
            "mde": known(judged.mde(_LEVEL)),
            "a_ci95": _interval(a),
            "b_ci95": _interval(b) if b else None,
            "num_conversations": sample.num,
            **about,
        }
    )


def _endings(turns: Iterable[SavedTurn]) -> dict[Label, dict[Ending, int]]:
    found: dict[Label, Counter[Ending]] = defaultdict(Counter)
    for turn in turns:
        if turn.course is not None and turn.course.ended is not None:
            found[turn.agent][turn.course.ended] += 1
    return {label: dict(sorted(counts.items())) for label, counts in sorted(found.items())}


def _interval(estimate: Estimate) -> Interval | None:
    low, high = estimate.interval(_LEVEL)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None
