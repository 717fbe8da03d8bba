"""The report as one HTML page: the verdict first, scores with their intervals, turns by regression.

Whatever users and agents said is escaped (`shown`); the page's own policy
forbids the network and any script but its own, which only hides turns.

    text = page(outcome, pairs, sorted_by="chrf")
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from dialog.replay.outcome import MetricOutcome, Outcome
from dialog.replay.report import svg
from dialog.replay.report.pairs import Pair
from dialog.replay.report.shown import html, number
from dialog.replay.report.style import SCRIPT, STYLE, policy
from dialog.replay.report.turns import turn_section
from dialog.replay.saved import Label

MAX_TURNS = 400
"""Turns shown, the worst regressions; all of them are in turns.jsonl."""


def page(outcome: Outcome, pairs: Sequence[Pair], *, sorted_by: str | None) -> str:
    """The whole page."""
    shown = pairs[:MAX_TURNS]
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy()}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>Replay: {html(outcome.headline)}</title><style>{STYLE}</style></head><body>",
            *_verdict(outcome),
            *_metrics(outcome),
            *_latencies(pairs),
            *_failures(outcome),
            *_turns(outcome, shown, num_all=len(pairs), sorted_by=sorted_by),
            *_origins(outcome),
            f"<script>{SCRIPT}</script></body></html>",
            "",
        )
    )


def _verdict(outcome: Outcome) -> Iterator[str]:
    yield f'<h1>Replay</h1><p class="verdict {outcome.verdict}">{html(outcome.headline)}</p>'
    against = "agent A against agent B" if outcome.is_comparison else "agent A"
    yield (
        f"<p>{outcome.num_conversations} conversations, {outcome.num_turns} turns, {outcome.mode} replay, "
        f"{len(outcome.seeds)} seed(s), {against}; exit code {outcome.exit_code}.</p>"
    )
    if outcome.gates:
        yield '<div class="wide"><table><tr><th>gate: fails if<th>verdict<th>why</tr>'
        for gate in outcome.gates:
            yield (
                f"<tr><td><code>{html(gate.expr)}</code>"
                f'<td><span class="badge {gate.verdict}">{gate.verdict.upper()}</span>'
                f"<td>{html(gate.reason)}</tr>"
            )
        yield "</table></div>"
    yield from (f"<p>Note: {html(note)}.</p>" for note in outcome.notes)


def _metrics(outcome: Outcome) -> Iterator[str]:
    yield "<h2>Scores</h2>"
    if outcome.is_comparison:
        yield (
            '<p class="quiet">The difference is A - B; its 95 % interval draws conversations, not turns. '
            "p: how often exchanging the agents gives as much. MDE: the smallest change that these "
            "conversations would show in 80 % of cases. Green is better, red is worse.</p>"
            '<div class="wide"><table><tr><th>metric<th class=n>A<th class=n>B<th class=n>A - B'
            "<th>95 % interval<th><th class=n>p<th class=n>MDE<th class=n>conv.<th>how it is computed</tr>"
        )
    else:
        yield (
            '<p class="quiet">The 95 % interval draws conversations, not turns.</p>'
            '<div class="wide"><table><tr><th>metric<th class=n>A<th>95 % interval<th class=n>conv.'
            "<th>how it is computed</tr>"
        )
    for name, metric in outcome.computed.items():
        yield _metric_row(name, metric, is_comparison=outcome.is_comparison)
    yield "</table></div>"
    if outcome.not_computed:
        names = html(", ".join(outcome.not_computed))
        yield f'<p class="quiet">n/a, for nothing here says what they need: {names}.</p>'


def _metric_row(name: str, metric: MetricOutcome, *, is_comparison: bool) -> str:
    direction = {True: " ↑", False: " ↓", None: ""}[metric.higher_is_better]
    head = f'<tr><th>{html(name)}{direction} <span class="quiet">{html(metric.unit)}</span>'
    tail = f'<td class=n>{metric.num_conversations}<td class="signature">{html(metric.signature)}</tr>'
    ends = metric.ci95
    if not is_comparison:
        span = f"{number(ends[0])} to {number(ends[1])}" if ends else "n/a"
        return f"{head}<td class=n>{number(metric.a)}<td>{span}{tail}"
    span, picture = "n/a", ""
    if ends is not None and metric.difference is not None:
        span = f"{number(ends[0], signed=True)} to {number(ends[1], signed=True)}"
        picture = svg.interval(metric.difference, ends, better=_better(metric))
    return (
        f"{head}<td class=n>{number(metric.a)}<td class=n>{number(metric.b)}"
        f"<td class=n>{number(metric.difference, signed=True)}<td>{picture}<td class=n>{span}"
        f"<td class=n>{number(metric.p_value)}<td class=n>{number(metric.mde)}{tail}"
    )


def _better(metric: MetricOutcome) -> svg.Better:
    match metric.higher_is_better:
        case True:
            return "up"
        case False:
            return "down"
        case None:
            return "neither"


def _latencies(pairs: Sequence[Pair]) -> Iterator[str]:
    times = {
        name: [one.given.latency_s for one in turns if one is not None and one.given.latency_s is not None]
        for name, turns in (("A", [pair.a for pair in pairs]), ("B", [pair.b for pair in pairs]))
    }
    picture = svg.latencies(times)
    if picture:
        yield f"<h2>Latency</h2>{picture}"


def _failures(outcome: Outcome) -> Iterator[str]:
    counts = Counter((failure.kind, failure.agent) for failure in outcome.failures)
    if not counts:
        yield "<h2>Failures</h2><p>None.</p>"
        return
    agents: tuple[Label, ...] = ("a", "b") if outcome.is_comparison else ("a",)
    heads = "".join(f"<th class=n>agent {agent.upper()}" for agent in agents)
    yield f"<h2>Failures</h2><table><tr><th>kind{heads}</tr>"
    for kind in sorted({kind for kind, _ in counts}):
        cells = "".join(f"<td class=n>{counts[kind, agent]}" for agent in agents)
        yield f"<tr><td>{kind}{cells}</tr>"
    yield "</table>"


def _turns(outcome: Outcome, shown: Sequence[Pair], *, num_all: int, sorted_by: str | None) -> Iterator[str]:
    by = f"A's {sorted_by}" if sorted_by else "conversation"
    if outcome.is_comparison and sorted_by:
        by += " against B's"
    yield f'<h2>Turns</h2><p class="quiet">Turns that fail come first, then the lowest by {html(by)}.</p>'
    if num_all > len(shown):
        yield f"<p>Shown are the first {len(shown)} of {num_all}; the others are in turns.jsonl.</p>"
    yield '<p class="filters">'
    yield from (
        _filter(name, sorted({value for pair in shown for value in values(pair)}))
        for name, values in (
            ("tag", lambda pair: pair.turn.tags),
            ("intent", lambda pair: [pair.intent] if pair.intent else []),
            ("language", lambda pair: [pair.turn.language]),
            ("failure", lambda pair: pair.kinds),
        )
    )
    yield '<label><input type="checkbox" data-filter="failed"> only failed</label>'
    yield '<span id="count"></span></p>'
    for pair in shown:
        yield turn_section(pair, is_comparison=outcome.is_comparison, has_seeds=len(outcome.seeds) > 1)


def _filter(name: str, values: Sequence[str]) -> str:
    options = "".join(f'<option value="{html(value)}">{html(value)}</option>' for value in values)
    return (
        f'<label>{name} <select data-filter="{name}"><option value="">all</option>{options}</select></label>'
    )


def _origins(outcome: Outcome) -> Iterator[str]:
    yield "<h2>What was replayed</h2><table><tr><th>file<th>sha256</tr>"
    for file in outcome.data.files:
        yield f"<tr><td>{html(file.path)}<td><code>{html(file.sha256)}</code></tr>"
    yield "</table><table><tr><th>agent<th>fingerprint</tr>"
    for name, fingerprint in (("A", outcome.fingerprints.a), ("B", outcome.fingerprints.b)):
        if fingerprint is not None:
            parts = ", ".join(f"{key} {value}" for key, value in fingerprint.items() if value is not None)
            yield f"<tr><td>{name}<td>{html(parts)}</tr>"
    yield "</table>"
