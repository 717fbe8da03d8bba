"""Gates: what must not happen, written as `--fail-on` takes it, and whether it did.

    success<-0.02@95     A's success is lower than B's by more than 0.02, at 95 % confidence
    success<0.8@95       A's success itself is below 0.8
    p95_ms>800           A's p95_ms is above 800, as measured

A threshold with a sign is about the difference A - B, one without is about A's
own value. With `@LEVEL` a test decides, one-sided as the gate is: at `@95` five
in a hundred gates fail whose claim is not true, or pass whose claim is, at
most. That is FAIL where the 90 % interval, which leaves 5 % on either side,
lies wholly beyond the threshold, PASS where no part of it does, else
INCONCLUSIVE; n/a is INCONCLUSIVE. Without a level the measured value decides.

Several gates with a level are several chances of a false alarm, so their
failures are corrected together (Holm 1979, "A Simple Sequentially Rejective
Multiple Test Procedure"). Passing needs no correction: all must pass.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dialog.replay.statistics import Estimate

Verdict = Literal["pass", "fail", "inconclusive"]
Operator = Literal["<", "<=", ">", ">="]

_EXPRESSION = re.compile(
    r"\s*(?P<metric>[^\s<>=]+)\s*(?P<operator><=|>=|<|>)\s*(?P<threshold>[^\s@]+)\s*(?:@\s*(?P<level>\S+)\s*)?"
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_EXAMPLES = "write METRIC<NUMBER or METRIC>NUMBER, like p95_ms>800 or success<-0.02@95"


@dataclass(frozen=True)
class Gate:
    """One `--fail-on`; `level` is in (0, 1), None without `@`."""

    expr: str
    metric: str
    operator: Operator
    threshold: float
    is_difference: bool
    level: float | None

    def holds(self, value: float) -> bool:
        """Whether a value is what must not be."""
        match self.operator:
            case "<":
                return value < self.threshold
            case "<=":
                return value <= self.threshold
            case ">":
                return value > self.threshold
            case ">=":
                return value >= self.threshold


@dataclass(frozen=True)
class Decision:
    """What became of a gate, and why in a sentence."""

    gate: Gate
    verdict: Verdict
    reason: str


def parse(expr: str) -> Gate:
    """Read an expression.

    Raises:
        ValueError: it is none.
    """
    found = _EXPRESSION.fullmatch(expr)
    if found is None:
        raise ValueError(f"{expr!r} is no gate; {_EXAMPLES}")
    metric, threshold, level = found["metric"], found["threshold"], found["level"]
    if not _NUMBER.fullmatch(threshold):
        raise ValueError(f"{expr!r}: {threshold!r} is no number; {_EXAMPLES}")
    return Gate(
        expr=expr.strip(),
        metric=metric,
        operator=found["operator"],  # type: ignore[arg-type]  # the pattern has no other
        threshold=float(threshold),
        is_difference=threshold[0] in "+-",
        level=None if level is None else _level(expr, level),
    )


def decide(gates: Sequence[Gate], estimates: Mapping[tuple[str, bool], Estimate]) -> list[Decision]:
    """Decide all gates together, in order.

    Args:
        estimates: by metric and whether it is the difference; without an entry a gate has nothing to rest on.
    """
    failing = _surely_beyond(gates, estimates)
    return [
        _decision(gate, estimates.get((gate.metric, gate.is_difference)), place in failing)
        for place, gate in enumerate(gates)
    ]


def verdict_of(decisions: Sequence[Decision]) -> Verdict:
    """The verdict of all: one that fails fails all, one that is undecided leaves all undecided."""
    verdicts = {decision.verdict for decision in decisions}
    return "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"


def _surely_beyond(gates: Sequence[Gate], estimates: Mapping[tuple[str, bool], Estimate]) -> set[int]:
    """Places of gates with a level that fail after Holm's correction."""
    ranked = sorted(
        (_p(gate, estimate), place)
        for place, gate in enumerate(gates)
        if gate.level is not None
        and (estimate := estimates.get((gate.metric, gate.is_difference))) is not None
    )
    found: set[int] = set()
    for rank, (p, place) in enumerate(ranked):
        level = gates[place].level
        assert level is not None
        if p > (1 - level) / (len(ranked) - rank):
            break
        found.add(place)
    return found


def _p(gate: Gate, estimate: Estimate, *, opposite: bool = False) -> float:
    """How surprising the data would be if the gate did not hold; `opposite`, if it did."""
    is_below = gate.operator.startswith("<") != opposite
    or_at = gate.operator.endswith("=") != opposite
    p = estimate.p_beyond if opposite else estimate.p_changed
    return p(gate.threshold, below=is_below, or_at=or_at)


def _decision(gate: Gate, estimate: Estimate | None, is_beyond: bool) -> Decision:
    what = f"{gate.metric} A - B" if gate.is_difference else f"{gate.metric} of A"
    if estimate is None or not math.isfinite(estimate.point):
        return Decision(gate, "inconclusive", f"{what} is n/a: no conversation says anything about it")
    shown = f"{what} is {_number(estimate.point, gate.is_difference)}"
    if gate.level is None:
        verdict: Verdict = "fail" if gate.holds(estimate.point) else "pass"
        return Decision(gate, verdict, shown)
    if not estimate.is_known:
        return Decision(
            gate, "inconclusive", f"{shown} on {estimate.num} conversation(s): too few for an interval"
        )
    inner = 2 * gate.level - 1
    low, high = (_number(end, gate.is_difference) for end in estimate.interval(inner))
    shown += f", {inner * 100:.4g} % interval [{low}, {high}]"
    if is_beyond:
        return Decision(gate, "fail", shown)
    if _p(gate, estimate, opposite=True) <= 1 - gate.level:
        return Decision(gate, "pass", shown)
    return Decision(gate, "inconclusive", f"{shown}; {_reach(estimate, inner)}")


def _reach(estimate: Estimate, level: float) -> str:
    mde = estimate.mde(level)
    if mde == 0:
        return f"{estimate.num} conversations are too few to be sure"
    return f"the smallest change that {estimate.num} conversations show is {mde:.3g}"


def _number(value: float, signed: bool) -> str:
    return f"{value:+.4g}" if signed else f"{value:.4g}"


def _level(expr: str, text: str) -> float:
    percent = float(text) if re.fullmatch(r"\d+(?:\.\d+)?", text) else math.nan
    if not 50 < percent < 100:
        raise ValueError(
            f"{expr!r}: {text!r} is no confidence; write a percentage between 50 and 100, like @95"
        )
    return percent / 100
