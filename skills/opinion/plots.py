"""Plots as inline SVG: bars of a series' days with its control limit and its alarms.

The numbers are few, the drawing is plain text, and every word in it is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from skills.opinion.monitor import Alarm, Series, Watch, baseline_before

_WIDTH, _HEIGHT = 920, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 34, 8, 14, 22
_NUM_LABELS = 6


def chart(series: Series, alarms: Sequence[Alarm], last: date, watch: Watch) -> str:
    """An `<svg>` up to the day `last`.

    Grey bars are all news, red the negative, the dashed step is each day's limit, a triangle an alarm.
    """
    num_days = (last - series.first).days + 1
    limits = _limits(series, num_days, watch)
    top = max([1, *(one.num for one in series.days), *(limit or 0 for limit in limits)])
    frame = _Frame(num_days, top)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(series.company)}">',
        _axis(series.first, frame),
    ]
    for one in series.days:
        at = (one.day - series.first).days
        parts.append(_bar(frame, at, one.num, "all"))
        if one.negative:
            parts.append(_bar(frame, at, one.negative, "bad"))
    steps = [
        f"{frame.x(at):.1f},{frame.y(limit):.1f} {frame.x(at + 1):.1f},{frame.y(limit):.1f}"
        for at, limit in enumerate(limits)
        if limit is not None
    ]
    if steps:
        parts.append(f'<polyline class="limit" points="{" ".join(steps)}"/>')
    for alarm in alarms:
        middle = frame.x((alarm.day - series.first).days + 0.5)
        told = escape(f"{alarm.day} {alarm.check} {alarm.count}")
        parts.append(f'<path class="alarm" d="M{middle - 5:.1f} 2h10l-5 9z"><title>{told}</title></path>')
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Frame:
    """Where days and counts lie in the picture."""

    num_days: int
    top: int

    def x(self, at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / self.num_days

    def y(self, count: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - count / self.top)


def _limits(series: Series, num_days: int, watch: Watch) -> list[int | None]:
    days = (series.first + timedelta(days=at) for at in range(num_days))
    known = (baseline_before(series, day, watch) for day in days)
    return [baseline.limit(watch.chance) if baseline else None for baseline in known]


def _bar(frame: _Frame, at: int, count: int, kind: str) -> str:
    wide = max(1.6, (frame.x(1) - frame.x(0)) * 0.85)
    top, floor = frame.y(count), frame.y(0)
    place = f'x="{frame.x(at):.1f}" y="{top:.1f}" width="{wide:.1f}" height="{floor - top:.1f}"'
    return f'<rect class="{kind}" {place}/>'


def _axis(first: date, frame: _Frame) -> str:
    floor = frame.y(0)
    lines = [
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{floor:.1f}" y2="{floor:.1f}"/>',
        f'<text x="{_LEFT - 6}" y="{floor:.1f}" class="end">0</text>',
        f'<text x="{_LEFT - 6}" y="{frame.y(frame.top) + 8:.1f}" class="end">{frame.top}</text>',
    ]
    every = max(1, frame.num_days // _NUM_LABELS)
    for at in range(0, frame.num_days - every // 2, every):
        day = first + timedelta(days=at)
        lines.append(f'<text x="{frame.x(at):.1f}" y="{_HEIGHT - 6}">{day}</text>')
    return "".join(lines)
