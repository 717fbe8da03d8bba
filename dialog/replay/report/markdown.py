"""The report for a pull request: verdict, gates, scores, failures, as Markdown.

Cells hold untrusted text, so what Markdown would obey is escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from dialog.replay.outcome import MetricOutcome, Outcome
from dialog.replay.report.shown import number, plain

MAX_FAILURES = 50
_OBEYED = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def markdown(outcome: Outcome) -> str:
    """The whole text."""
    return "\n".join(
        (*_head(outcome), *_scores(outcome), *_endings(outcome), *_gap(outcome), *_failures(outcome), "")
    )


def _head(outcome: Outcome) -> Iterator[str]:
    yield f"## Replay: {_cell(outcome.headline)}"
    yield ""
    against = ", A against B" if outcome.is_comparison else ""
    yield (
        f"{outcome.num_conversations} conversations, {outcome.num_turns} turns, {outcome.mode} replay, "
        f"{len(outcome.seeds)} seed(s){against}."
    )
    yield from (f"\nNote: {_cell(note)}." for note in outcome.notes)
    if outcome.gates:
        yield ""
        rows = [(gate.expr, gate.verdict.upper(), gate.reason) for gate in outcome.gates]
        yield from _table(("fails if", "verdict", "why"), rows)


def _scores(outcome: Outcome) -> Iterator[str]:
    yield ""
    yield from _score_table(outcome)
    if outcome.not_computed:
        yield f"\nn/a, for nothing here says what they need: {_cell(', '.join(outcome.not_computed))}."


def _score_table(outcome: Outcome) -> Iterator[str]:
    if not outcome.is_comparison:
        rows = [
            (name, number(one.a), _span(one.ci95, signed=False), str(one.num_conversations), one.signature)
            for name, one in outcome.computed.items()
        ]
        yield from _table(("metric", "A", "95 % interval", "conversations", "signature"), rows)
        return
    yield from _comparison(("metric", "A", "B", "A - B"), outcome.computed)


def _comparison(names: Sequence[str], metrics: Mapping[str, MetricOutcome]) -> Iterator[str]:
    yield from _table(
        (*names, "95 % interval", "p", "MDE", "signature"),
        [
            (
                name,
                number(one.a),
                number(one.b),
                number(one.difference, signed=True),
                _span(one.ci95, signed=True),
                number(one.p_value),
                number(one.mde),
                one.signature,
            )
            for name, one in metrics.items()
        ],
    )


def _endings(outcome: Outcome) -> Iterator[str]:
    if outcome.endings:
        yield ""
        endings = sorted({ending for counts in outcome.endings.values() for ending in counts})
        rows = [
            (agent.upper(), *(str(counts.get(ending, 0)) for ending in endings))
            for agent, counts in outcome.endings.items()
        ]
        yield from _table(("conversations that ended", *endings), rows)


def _gap(outcome: Outcome) -> Iterator[str]:
    if outcome.gap:
        yield "\nGap to forced replay of agent A: what its own history costs it.\n"
        yield from _comparison(("metric", "free", "forced", "free - forced"), outcome.gap)


def _failures(outcome: Outcome) -> Iterator[str]:
    if not outcome.failures:
        return
    counts = Counter(failure.kind for failure in outcome.failures)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    yield f"\n<details><summary>{len(outcome.failures)} failures: {told}</summary>\n"
    rows = [
        (failure.conversation_id, str(failure.turn), failure.agent.upper(), failure.kind, failure.detail)
        for failure in outcome.failures[:MAX_FAILURES]
    ]
    yield from _table(("conversation", "turn", "agent", "kind", "what"), rows)
    if len(outcome.failures) > MAX_FAILURES:
        yield f"\nThe first {MAX_FAILURES}; all are in report.json."
    yield "\n</details>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    yield from ("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows)


def _cell(text: str) -> str:
    return _OBEYED.sub(r"\\\1", " ".join(plain(text).split()))


def _span(ends: tuple[float, float] | None, *, signed: bool) -> str:
    return f"{number(ends[0], signed=signed)} to {number(ends[1], signed=signed)}" if ends else "n/a"
