"""A text as the detectors read it: full-width and foreign digits as ASCII, invisible characters gone.

Nothing that is shown or stored comes from here: a span of the folded text is
turned back into one of the original.

    folded = fold("电话１３８\u200b１２３４５６７８")
    folded.text                 # "电话13812345678"
    folded.original(2, 13)      # (2, 14)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6)
_FULL_WIDTH = "＠．－＿＋（）：／＃％＆＝？＊"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63"
_FOLDS: dict[int, str] = {
    **{zero + digit: str(digit) for zero in _ZEROS for digit in range(10)},
    **{ord(character): chr(ord(character) - 0xFEE0) for character in _FULL_WIDTH},
    **{code: chr(code - 0xFEE0) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))},
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, _DASHES), "-"),
}


@dataclass(frozen=True)
class Folded:
    """`text` and, where characters were left out, the original place of each that stayed."""

    text: str
    places: tuple[int, ...] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original's span of a non-empty span of `text`."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """One character stays one character; invisible ones are left out."""
    if text.isascii():
        return Folded(text.replace("\t", " ") if "\t" in text else text)
    if not _INVISIBLE.search(text):
        return Folded(text.translate(_FOLDS))
    gone = [match.start() for match in _INVISIBLE.finditer(text)]
    absent = set(gone)
    places = tuple(place for place in range(len(text)) if place not in absent)
    return Folded(_INVISIBLE.sub("", text).translate(_FOLDS), places)
