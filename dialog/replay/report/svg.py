"""Small pictures as inline SVG: an interval with its zero, bars of shares, how many turns took how long.

interval(0.02, (-0.01, 0.05), better="up")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from dialog.replay.report.shown import html, number

Better = Literal["up", "down", "neither"]

GOOD, BAD, UNSURE = "#2f7d4f", "#b3261e", "#666666"
COLOURS = {"A": "#3b6fb6", "B": "#d98a2b"}
_WIDTH, _HEIGHT, _MARGIN = 160, 20, 8
_PLOT_WIDTH, _PLOT_HEIGHT, _AXIS = 620, 200, 30


def interval(point: float, ends: tuple[float, float], *, better: Better) -> str:
    """A difference, its interval and zero; green or red where the interval lies on one side of zero."""
    low, high = ends
    reach = max(abs(low), abs(high), abs(point)) or 1.0

    def x(value: float) -> float:
        return _WIDTH / 2 + value / reach * (_WIDTH / 2 - _MARGIN)

    colour = UNSURE
    if better != "neither" and (low > 0 or high < 0):
        colour = GOOD if (low > 0) == (better == "up") else BAD
    label = f"{number(point, signed=True)} [{number(low, signed=True)}, {number(high, signed=True)}]"
    middle = _HEIGHT / 2
    return (
        f'<svg class="interval" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"<title>{label}</title>"
        f'<line x1="{_WIDTH / 2}" y1="0" x2="{_WIDTH / 2}" y2="{_HEIGHT}" stroke="#bbb" '
        'stroke-dasharray="2 2"/>'
        f'<line x1="{x(low):.1f}" y1="{middle}" x2="{x(high):.1f}" y2="{middle}" stroke="{colour}" '
        'stroke-width="3"/>'
        f'<circle cx="{x(point):.1f}" cy="{middle}" r="4" fill="{colour}"/></svg>'
    )


def shares(parts: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars of shares in [0, 1], named."""
    row = 18
    drawn = "".join(
        f'<rect x="0" y="{place * row + 3}" width="{max(1.0, 120 * share):.1f}" height="{row - 6}" '
        f'fill="#7a5fa8"/><text x="128" y="{place * row + 13}">{share:.0%} {html(name)}</text>'
        for place, (name, share) in enumerate(parts)
    )
    return f'<svg class="shares" viewBox="0 0 620 {len(parts) * row}" role="img">{drawn}</svg>'


def latencies(seconds: Mapping[str, Sequence[float]]) -> str:
    """For each agent, the share of turns answered within a time; nothing if no times are known."""
    known = {name: sorted(values) for name, values in seconds.items() if values}
    if not known:
        return ""
    longest = max(values[-1] for values in known.values()) or 1e-9
    width, height = _PLOT_WIDTH - 2 * _AXIS, _PLOT_HEIGHT - 2 * _AXIS

    def x(value: float) -> float:
        return _AXIS + value / longest * width

    def y(share: float) -> float:
        return _AXIS + (1 - share) * height

    drawn = [
        f'<line x1="{_AXIS}" y1="{y(share):.1f}" x2="{_AXIS + width}" y2="{y(share):.1f}" stroke="#ddd"/>'
        f'<text x="{_AXIS - 4}" y="{y(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0.0, 0.5, 0.95)
    ]
    for place, (name, values) in enumerate(known.items()):
        points = [f"{x(0):.1f},{y(0):.1f}"]
        for rank, value in enumerate(_thinned(values), start=1):
            share = rank / len(_thinned(values))
            points += [f"{x(value):.1f},{points[-1].split(',')[1]}", f"{x(value):.1f},{y(share):.1f}"]
        colour = COLOURS[name]
        drawn.append(
            f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{_AXIS + 60 * place}" y="16" fill="{colour}">agent {html(name)}</text>'
        )
    drawn += [
        f'<text x="{x(longest * part):.1f}" y="{_PLOT_HEIGHT - 8}" text-anchor="middle">'
        f"{longest * part:.3g} s</text>"
        for part in (0, 0.25, 0.5, 0.75, 1)
    ]
    return (
        "<figure><figcaption>Share of turns answered within a time</figcaption>"
        f'<svg viewBox="0 0 {_PLOT_WIDTH} {_PLOT_HEIGHT}" role="img" aria-label="latency">'
        f"{''.join(drawn)}</svg></figure>"
    )


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """At most 200 of sorted values, the last one with them."""
    step = -(-len(values) // 200)
    return values if step <= 1 else [*values[step - 1 : -1 : step], values[-1]]
