"""What a detector found, and which of two overlapping finds stays.

Offsets are half-open and index the original text, whatever folding went
before. The rules of `resolved`, in order:

1. a find inside another is dropped: an e-mail address inside a personal link;
2. where two overlap in part, the surer keeps its span (`strength`, then length,
   then the earlier one), and the other is cut to what is left over;
3. equal spans: the surer, then the kind that comes first in the alphabet.

So every character that any rule found stays covered.

    resolved([Find("PHONE", 3, 14, rule="zh-mobile"), Find("ADDRESS", 0, 14, rule="zh-road")])
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Strength = Literal[0, 1, 2, 3]
CHECKED: Strength = 3
"""A checksum or an unmistakable form says so."""
FORMED: Strength = 2
"""The form is that of the kind, no checksum."""
TOLD: Strength = 1
"""The words around it say so."""
LISTED: Strength = 0
"""A gazetteer says so."""

KINDS = (
    "ADDRESS",
    "CARD",
    "EMAIL",
    "IBAN",
    "ID",
    "IP",
    "NAME",
    "PASSPORT",
    "PHONE",
    "PLATE",
    "URL",
)
"""The kinds the built-in rules know; a custom pattern may bring its own."""
KIND_NAME = re.compile(r"[A-Z][A-Z_]{0,30}")


@dataclass(frozen=True)
class Find:
    """A span that may identify a person, and the rule that says so."""

    kind: str
    start: int
    end: int
    rule: str
    strength: Strength = FORMED

    def __len__(self) -> int:
        return self.end - self.start


def resolved(finds: Iterable[Find]) -> list[Find]:
    """Disjoint finds in order of the text; see the rules above."""
    outer = _without_inner(finds)
    kept: list[Find] = []
    for find in outer:  # starts and ends ascend, so a find overlaps the last kept ones only
        while kept and find.start < kept[-1].end:
            before = kept[-1]
            if _rank(find) > _rank(before):
                find = replace(find, start=before.end)
            elif find.start <= before.start:  # `before` was cut already, and now lies within
                kept.pop()
            else:
                kept[-1] = replace(before, end=find.start)
        kept.append(find)
    return kept


def _without_inner(finds: Iterable[Find]) -> list[Find]:
    """Sorted by start; no find lies within another, so ends ascend too."""
    outer: list[Find] = []
    for find in sorted(finds, key=lambda one: (one.start, -one.end, _rank(one))):
        if not outer or find.end > outer[-1].end:
            outer.append(find)
    return outer


def _rank(find: Find) -> tuple[int, int, int, str]:
    return (-find.strength, -len(find), find.start, find.kind)
