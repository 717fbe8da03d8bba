"""What `instructrec replay` prints for people: the verdict first, then gates, scores and failures."""

from __future__ import annotations

from collections import Counter

from dialog.cli.output import table
from dialog.replay.outcome import MetricOutcome, Outcome


def summary(outcome: Outcome) -> str:
    """The outcome in a screenful."""
    against = ", A against B" if outcome.is_comparison else ""
    blocks = [
        f"{outcome.headline}\n{outcome.num_conversations} conversations, {outcome.num_turns} turns, "
        f"{len(outcome.seeds)} seed(s){against}"
    ]
    if outcome.gates:
        blocks.append(
            table([(one.verdict.upper(), one.expr, _one_line(one.reason)) for one in outcome.gates])
        )
    if outcome.computed:
        header = (
            ("metric", "A", "B", "A - B", "95 % interval", "p", "MDE")
            if outcome.is_comparison
            else ("metric", "A", "95 % interval")
        )
        rows = [
            _row(name, one, is_comparison=outcome.is_comparison) for name, one in outcome.computed.items()
        ]
        blocks.append(table([header, *rows]))
    if outcome.not_computed:
        blocks.append(f"n/a: {', '.join(outcome.not_computed)}")
    if outcome.failures:
        counts = Counter((one.agent.upper(), one.kind) for one in outcome.failures)
        told = ", ".join(f"{agent} {kind} {count}" for (agent, kind), count in sorted(counts.items()))
        blocks.append(f"failures: {told}")
    if outcome.endings:
        blocks.append(f"ends: {_endings(outcome)}")
    if outcome.gap:
        header = ("free against forced", "free", "forced", "free - forced", "95 % interval", "p", "MDE")
        rows = [_row(name, one, is_comparison=True) for name, one in outcome.gap.items()]
        blocks.append(table([header, *rows]))
    return "\n\n".join(blocks)


def _endings(outcome: Outcome) -> str:
    return ", ".join(
        f"{agent.upper()} {ending} {count}"
        for agent, counts in outcome.endings.items()
        for ending, count in counts.items()
    )


def _row(name: str, one: MetricOutcome, *, is_comparison: bool) -> tuple[str, ...]:
    ends = one.ci95
    if not is_comparison:
        return (name, _number(one.a), f"{ends[0]:.4g} to {ends[1]:.4g}" if ends else "n/a")
    span = f"{ends[0]:+.4g} to {ends[1]:+.4g}" if ends else "n/a"
    difference = "n/a" if one.difference is None else f"{one.difference:+.4g}"
    return (name, _number(one.a), _number(one.b), difference, span, _number(one.p_value), _number(one.mde))


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4g}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
