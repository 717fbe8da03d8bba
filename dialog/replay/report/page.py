"""The report as one HTML page: the verdict first, scores with their intervals, turns by regression.

Whatever users and agents said is escaped (`shown`); the page's own policy
forbids the network and any script but its own, which only hides turns.

    text = page(outcome, items, turns, order="the lowest by A's chrf come first")
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from dialog.replay.outcome import MetricOutcome, Outcome
from dialog.replay.report import svg
from dialog.replay.report.item import Item
from dialog.replay.report.shown import html, number
from dialog.replay.report.style import SCRIPT, STYLE, policy
from dialog.replay.saved import Label, SavedTurn

MAX_ITEMS = 400
"""Turns or conversations shown, the worst regressions; all of them are in turns.jsonl."""


def page(outcome: Outcome, items: Sequence[Item], turns: Collection[SavedTurn], *, order: str) -> str:
    """The whole page.

    Args:
        items: turns, or conversations of a free replay, in the order they are shown.
        turns: all that was answered.
        order: what comes first, in words.
    """
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy()}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>Replay: {html(outcome.headline)}</title><style>{STYLE}</style></head><body>",
            *_verdict(outcome),
            *_metrics(outcome),
            *_endings(outcome),
            *_gap(outcome),
            *_latencies(turns),
            *_failures(outcome),
            *_items(outcome, items, order=order),
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


def _endings(outcome: Outcome) -> Iterator[str]:
    if not outcome.endings:
        return
    endings = sorted({ending for counts in outcome.endings.values() for ending in counts})
    heads = "".join(f"<th class=n>{ending.replace('_', ' ')}" for ending in endings)
    yield f"<h2>How conversations ended</h2><table><tr><th>agent{heads}</tr>"
    for agent, counts in outcome.endings.items():
        cells = "".join(f"<td class=n>{counts.get(ending, 0)}" for ending in endings)
        yield f"<tr><td>{agent.upper()}{cells}</tr>"
    yield "</table>"


def _gap(outcome: Outcome) -> Iterator[str]:
    if not outcome.gap:
        return
    yield (
        '<h2>Gap to forced replay</h2><p class="quiet">Agent A with its own history against A with the '
        "recorded one: two measurements that are never mixed. The difference is free - forced.</p>"
        '<div class="wide"><table><tr><th>metric<th class=n>free<th class=n>forced<th class=n>difference'
        "<th>95 % interval<th><th class=n>p<th class=n>MDE<th class=n>conv.<th>how it is computed</tr>"
    )
    yield from (_metric_row(name, metric, is_comparison=True) for name, metric in outcome.gap.items())
    yield "</table></div>"


def _latencies(turns: Collection[SavedTurn]) -> Iterator[str]:
    times: dict[str, list[float]] = {"A": [], "B": []}
    for turn in turns:
        if turn.given.latency_s is not None:
            times[turn.agent.upper()].append(turn.given.latency_s)
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


def _items(outcome: Outcome, items: Sequence[Item], *, order: str) -> Iterator[str]:
    what = "turns" if outcome.mode == "forced" else "conversations"
    yield f'<h2>{what.capitalize()}</h2><p class="quiet">{html(order)}</p>'
    shown = items[:MAX_ITEMS]
    if len(items) > len(shown):
        yield f"<p>Shown are the first {len(shown)} of {len(items)}; the others are in turns.jsonl.</p>"
    yield '<p class="filters">'
    values: dict[str, set[str]] = defaultdict(set)
    for item in shown:
        for name, found in item.filtered.items():
            values[name].update(found)
    yield from (_filter(name, sorted(found)) for name, found in values.items() if found)
    yield '<label><input type="checkbox" data-filter="failed"> only failed</label>'
    yield f'<span id="count" data-what="{what}"></span></p>'
    yield from (item.section for item in shown)


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
