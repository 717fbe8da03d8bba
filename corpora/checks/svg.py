"""Small pictures as inline SVG: bars, and stacked columns over time; texts are escaped.

bars("Languages", {"zh": 60, "en": 40})
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

WIDTH, ROW, LABEL, NUMBER = 520, 22, 130, 60
HEIGHT, GAP = 180, 4
COLOURS = ("#3b6fb6", "#d98a2b", "#4f9d69", "#b64b5c", "#7a5fa8", "#3a9aa8", "#a08a3c", "#777777", "#c06ba0")
MAX_ROWS = 20
MAX_COLUMNS = 60


def bars(title: str, values: Mapping[str, int]) -> str:
    """Horizontal bars in the order given, at most `MAX_ROWS`; the rest are summed up as one."""
    shown = dict(list(values.items())[:MAX_ROWS])
    rest = sum(list(values.values())[MAX_ROWS:])
    if rest:
        shown["others"] = rest
    if not shown:
        return ""
    room = WIDTH - LABEL - NUMBER
    highest = max(*shown.values(), 1)
    rows = []
    for place, (name, value) in enumerate(shown.items()):
        y = place * ROW
        width = max(1, round(room * value / highest)) if value else 0
        rows.append(
            f'<text x="{LABEL - 6}" y="{y + 15}" text-anchor="end">{escape(_short(name))}</text>'
            f'<rect x="{LABEL}" y="{y + 3}" width="{width}" height="{ROW - 6}" fill="{COLOURS[0]}">'
            f"<title>{escape(name)}: {value}</title></rect>"
            f'<text x="{LABEL + width + 5}" y="{y + 15}">{value}</text>'
        )
    return _figure(title, "".join(rows), height=len(shown) * ROW)


def columns(title: str, months: Mapping[str, Mapping[str, int]]) -> str:
    """Stacked columns, one for each of the last `MAX_COLUMNS` keys, with a legend."""
    shown = dict(list(months.items())[-MAX_COLUMNS:])
    if not shown:
        return ""
    totals = {
        name: sum(part.get(name, 0) for part in shown.values()) for part in shown.values() for name in part
    }
    names = sorted(totals, key=lambda name: (-totals[name], name))
    highest = max(sum(part.values()) for part in shown.values())
    step = WIDTH / len(shown)
    drawn = []
    for place, (month, part) in enumerate(shown.items()):
        y = float(HEIGHT)
        for name in names:
            high = HEIGHT * part.get(name, 0) / highest
            y -= high
            if high:
                wide, colour = max(1.0, step - GAP), COLOURS[names.index(name) % len(COLOURS)]
                drawn.append(
                    f'<rect x="{place * step:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" '
                    f'fill="{colour}">'
                    f"<title>{escape(month)} {escape(name)}: {part[name]}</title></rect>"
                )
        if place % -(-len(shown) // 7) == 0:
            drawn.append(f'<text x="{place * step:.1f}" y="{HEIGHT + 15}">{escape(month)}</text>')
    legend = " ".join(
        f'<span class="key"><i style="background:{COLOURS[place % len(COLOURS)]}"></i>{escape(name)}</span>'
        for place, name in enumerate(names)
    )
    return _figure(title, "".join(drawn), height=HEIGHT + 20, below=f"<p>{legend}</p>")


def _figure(title: str, drawn: str, *, height: int, below: str = "") -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{drawn}</svg>{below}</figure>'
    )


def _short(name: str) -> str:
    return name if len(name) <= 18 else name[:17] + "…"
