"""A picture of the graph: one SVG that needs nothing else; every name is escaped.

Path("graph.svg").write_text(picture(graph), encoding="utf-8")
"""

from __future__ import annotations

from collections import Counter
from html import escape

from skills.triples.graph import Graph

MAX_ENTITIES = 60
_SIZE = 1000
_MARGIN = 90
_SHOWN_CHARS = 18
_STYLE = (
    "text{font:12px system-ui,'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif;text-anchor:middle}"
    ".name{font-size:14px;fill:#1c2330}.relation{fill:#667085}circle{fill:#2f6f8f}"
    "line{stroke:#b6c0cd;marker-end:url(#a)}"
)


def picture(graph: Graph, *, seed: int = 0) -> str:
    """The 60 entities with most statements and the relations between them; the rest is counted."""
    import networkx

    degree: Counter[str] = Counter()
    edges: dict[tuple[str, str], list[str]] = {}
    for one in graph.statements:
        ends = (graph.entity(one.subject) or one.subject, graph.entity(one.object) or one.object)
        degree.update(ends)
        if one.relation not in edges.setdefault(ends, []):
            edges[ends].append(one.relation)
    shown = [name for name, _ in degree.most_common(MAX_ENTITIES)]
    drawn = networkx.DiGraph()
    drawn.add_nodes_from(shown)
    drawn.add_edges_from(ends for ends in edges if set(ends) <= set(shown))
    spread = networkx.spring_layout(drawn, seed=seed, k=4 / max(1, len(shown)) ** 0.5, iterations=60)
    low = [min((float(at[axis]) for at in spread.values()), default=0.0) for axis in (0, 1)]
    high = [max((float(at[axis]) for at in spread.values()), default=1.0) for axis in (0, 1)]

    def place(name: str) -> tuple[float, float]:
        x, y = (
            _MARGIN + (_SIZE - 2 * _MARGIN) * (float(spread[name][a]) - low[a]) / max(1e-9, high[a] - low[a])
            for a in (0, 1)
        )
        return x, y

    parts = []
    for ends, relations in edges.items():
        if set(ends) <= set(shown):
            (x1, y1), (x2, y2) = place(ends[0]), place(ends[1])
            middle = f'x="{(x1 + x2) / 2:.0f}" y="{(y1 + y2) / 2 - 4:.0f}"'
            parts.append(f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}"/>')
            parts.append(f'<text class="relation" {middle}>{_told(", ".join(relations))}</text>')
    for name in shown:
        x, y = place(name)
        parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="6"><title>{escape(name)}</title></circle>')
        parts.append(f'<text class="name" x="{x:.0f}" y="{y - 12:.0f}">{_told(name)}</text>')
    left_out = len(degree) - len(shown)
    if left_out:
        parts.append(f'<text x="{_SIZE / 2:.0f}" y="{_SIZE - 12}">+ {left_out}</text>')
    arrow = (
        '<defs><marker id="a" viewBox="0 0 10 10" refX="20" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L10 5L0 10z" fill="#b6c0cd"/></marker></defs>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIZE} {_SIZE}"><style>{_STYLE}</style>'
        f"{arrow}{''.join(parts)}</svg>\n"
    )


def _told(text: str) -> str:
    return escape(text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…")
