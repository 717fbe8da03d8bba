"""The newer of two answers first, where the search cannot tell them apart.

Two passages under one question or heading, with the same product, locale and
so on, answer the same thing: unless the older one covers more of what was
asked, the one updated last comes first. Passages of different headings change
places only where their scores are all but equal. What does not say when it was
updated stays where it is; a file's own time does not count, for copying the
file would then change what is answered.

    newest_first([Dated(1.0, "退货", 738000), Dated(0.4, "退货", 738900)])    # [1, 0]
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from dialog.knowledge.rows import ChunkRow, json_text
from dialog.text import normalise

_COVERAGE_SHARE = 0.9
_TIE_SHARE = 0.995
"""A rank apart in both legs is .984."""
_OWN = {"updated", "valid_from", "valid_until", "source"}
"""What may differ between two versions of one answer."""


@dataclass(frozen=True)
class Dated:
    """A passage's score, what it is about, the day it was updated (0: unknown), its cover of the query."""

    score: float
    subject: Hashable
    updated: int
    coverage: float = 1.0


def subject(row: ChunkRow) -> Hashable:
    """Equal for versions of one answer; a passage without a heading is like no other."""
    heading = re.sub(r"[\W_]+", "", normalise(row.heading)) or row.id
    return heading, json_text({name: value for name, value in row.metadata.items() if name not in _OWN})


def newest_first(passages: Sequence[Dated]) -> list[int]:
    """Places of `passages`, which come best first, in the order in which they should be shown."""
    order: list[int] = []
    for place, passage in enumerate(passages):
        passed = [at for at, before in enumerate(order) if _passes(passage, passages[before])]
        order.insert(passed[0] if passed else place, place)
    return order


def _passes(newer: Dated, older: Dated) -> bool:
    if not newer.updated > older.updated > 0:
        return False
    if newer.subject == older.subject:
        return newer.coverage >= _COVERAGE_SHARE * older.coverage
    return newer.score >= _TIE_SHARE * older.score
