"""What repeats at the top or foot of the pages, and their numbers: left out of the text.

without_margins(pages)    # the same pages, fewer rows
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from dialog.knowledge.convert.page import Row

_NUM_EDGE_ROWS = 3
_MIN_SHARE = 0.5
_SAME_PLACE = 6.0
"""Points by which a running line's height may differ from page to page."""
_APART = 2.0
"""A running line or a page number stands at least this many font sizes away from the text."""
_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:(?:page|seite|第|p\.)\s*)?\d{1,4}\s*页?\s*(?:(?:of|von|/|，|,|共|\|)\s*(?:共\s*)?\d{1,4}\s*页?)?[-–—\s]*",
    re.I,
)


def without_margins(pages: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """Pages without running headers, footers and page numbers.

    A line is running if its text, numbers aside, stands at one height on at
    least two and on half of all pages (odd and even pages may differ, hence
    half of them).
    """
    places: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for number, rows in enumerate(pages):
        for row in _edge(rows):
            places[_shape(row)].append((number, row.y))
    filled = sum(bool(rows) for rows in pages)
    running = {
        shape: heights
        for shape, found in places.items()
        if (heights := _common_heights(found, min_pages=max(2, int(_MIN_SHARE * filled / 2 + 0.5))))
    }
    bodies = [_body(rows, running) for rows in pages]
    return bodies if any(bodies) else [list(rows) for rows in pages]


def _body(rows: Sequence[Row], running: dict[str, list[float]]) -> list[Row]:
    edge = set(map(id, _edge(rows)))

    def is_running(row: Row) -> bool:
        heights = running.get(_shape(row), []) if id(row) in edge else []
        return any(abs(row.y - height) <= _SAME_PLACE for height in heights)

    by_height = sorted(rows, key=lambda row: row.y)
    outside = {
        id(row) for row in (*_stripped(by_height, is_running), *_stripped(by_height[::-1], is_running))
    }
    body = [row for row in rows if id(row) not in outside]
    for position in (min, max):
        if len(body) > 1:
            row = position(body, key=lambda row: row.y)
            nearest = min(abs(other.y - row.y) for other in body if other is not row)
            if _PAGE_NUMBER.fullmatch(row.text.strip()) and nearest > _APART * row.size:
                body = [other for other in body if other is not row]
    return body


def _stripped(inwards: Sequence[Row], is_running: Callable[[Row], bool]) -> Sequence[Row]:
    """The running lines at one edge, as far as a gap sets them apart from the text."""
    num_running = next((i for i, row in enumerate(inwards) if not is_running(row)), len(inwards))
    for count in range(num_running, 0, -1):
        if (
            count == len(inwards)
            or abs(inwards[count].y - inwards[count - 1].y) > _APART * inwards[count].size
        ):
            return inwards[:count]
    return ()


def _edge(rows: Sequence[Row]) -> list[Row]:
    """The rows nearest to the top and the foot of the page."""
    by_height = sorted(rows, key=lambda row: row.y)
    if len(by_height) <= 2 * _NUM_EDGE_ROWS:
        return by_height
    return by_height[:_NUM_EDGE_ROWS] + by_height[-_NUM_EDGE_ROWS:]


def _shape(row: Row) -> str:
    """The text with every number alike; one without any letter keeps no more than that."""
    return re.sub(r"\d+", "#", " ".join(row.text.split()).casefold())


def _common_heights(found: Sequence[tuple[int, float]], *, min_pages: int) -> list[float]:
    """Heights at which at least `min_pages` different pages have it."""
    heights: list[float] = []
    for _, height in found:
        pages = {number for number, other in found if abs(other - height) <= _SAME_PLACE}
        if len(pages) >= min_pages and not any(abs(height - known) <= _SAME_PLACE for known in heights):
            heights.append(height)
    return heights
