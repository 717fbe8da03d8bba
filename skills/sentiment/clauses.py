"""The clauses of a text: what a judgement is about and what its evidence is.

    clauses("房间很大，但是太吵了。")      # spans of "房间很大" and "但是太吵了"

A clause ends at punctuation (also a comma), at a line's end, and before a word of contrast.
"""

from __future__ import annotations

import re

from skills.sentiment.lexicon import Lexicon

_END = re.compile(r"[，,。；;！!？?、\n…~～]+|\.(?=\s|$)|\s[-–—]\s")
_LEAST_CHARS = 2


def clauses(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Half-open spans in order, without what is around them; a text of nothing but marks has none."""
    cuts = [(match.start(), match.end()) for match in _END.finditer(text)]
    cuts += [(one.start, one.start) for one in lexicon.find(text) if one.kind == "contrast"]
    spans = []
    start = 0
    for end, next_start in [*sorted(cuts), (len(text), len(text))]:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if right - left >= _LEAST_CHARS:
            spans.append((left, right))
        start = max(start, next_start)
    return spans
