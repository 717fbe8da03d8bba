"""Text folded for matching, with the way back to the original's positions.

Each character is folded alone (NFKC, case), so that a position in the folded
text belongs to one character of the original. What has been read is blotted
out, so that no other rule reads it again.

    page = Page("订单号：ＫＨ－２０４８１")
    page.text                 # "订单号:kh-20481"
    page.span(4, 12)          # (4, 12)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from dialog.metrics.facts.fact import Fact, FactKind, FactValue

BLOT = "\x00"
_DASHES = str.maketrans(
    dict.fromkeys("‐‑‒–—―−﹣－", "-") | dict.fromkeys("～〜∼﹏", "~") | {"’": "'", "‘": "'"}
)
Found = Iterable[tuple[FactKind, str, Iterable[FactValue]]]


class Page:
    """A folded text being read; `facts` are those found so far."""

    def __init__(self, original: str) -> None:
        if original.isascii():
            self.text = original.lower()
            self._positions: list[int] | None = None
        else:
            pieces = [unicodedata.normalize("NFKC", char).casefold() for char in original.translate(_DASHES)]
            self.text = "".join(pieces)
            self._positions = [index for index, piece in enumerate(pieces) for _ in piece]
        self.facts: list[Fact] = []

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original's span of a folded one that is not empty."""
        if self._positions is None:
            return start, end
        return self._positions[start], self._positions[end - 1] + 1

    def take(
        self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Found], *, group: int = 0
    ) -> None:
        """Add what `read` makes of each match and blot the match out; what it makes nothing of stays.

        Args:
            group: the part of the match that states the fact.
        """

        def blot(match: re.Match[str]) -> str:
            found = [
                self._fact(match.span(group), kind, shape, values) for kind, shape, values in read(match)
            ]
            self.facts += found
            return BLOT * len(match.group()) if found else match.group()

        self.text = pattern.sub(blot, self.text)

    def drop(self, pattern: re.Pattern[str]) -> None:
        """Blot out what states nothing."""
        self.text = pattern.sub(lambda match: BLOT * len(match.group()), self.text)

    def _fact(self, span: tuple[int, int], kind: FactKind, shape: str, values: Iterable[FactValue]) -> Fact:
        start, end = self.span(*span)
        return Fact(kind, shape, frozenset(values), start, end)
