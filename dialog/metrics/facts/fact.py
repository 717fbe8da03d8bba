"""One fact of a text, and when two of them are the same, or contradict each other.

A fact has a shape, within which values are comparable (`money:cny`,
`number:duration`, `date:day`), and the set of values it may have: `05/03` is
the 5th of March or the 3rd of May.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

FactKind = Literal["number", "money", "date", "identifier"]
Calendar = tuple[int | None, ...]
"""Parts of a date, for instance (year, month, day); None is not said."""
FactValue = Decimal | str | Calendar
_SUFFIX_CHARS = 4
"""`ending in 1234` names an identifier by at least so many characters."""


@dataclass(frozen=True)
class Fact:
    """A typed value and the half-open span of the original text that states it.

    `noun` is what a plain number counts, as far as it is known: the stem of the
    next word, or the next two Han characters.
    """

    kind: FactKind
    shape: str
    values: frozenset[FactValue]
    start: int
    end: int
    noun: str = ""

    @property
    def is_bare(self) -> bool:
        """A number of which nothing says what it counts."""
        return self.shape == "number:"

    def same(self, other: Fact) -> bool:
        """Whether both may mean one value: also `199` and `¥199`, where one does not say its unit."""
        if self.kind == "identifier" or other.kind == "identifier":
            return any(_same_identifier(a, b) for a in self._texts() for b in other._texts())
        if self.kind == "date" or other.kind == "date":
            return self.shape == other.shape and any(
                _agree(a, b) for a in self._calendars() for b in other._calendars()
            )
        if self.shape != other.shape and not (self.is_bare or other.is_bare):
            return False
        return not self.values.isdisjoint(other.values)

    def contradicts(self, other: Fact) -> bool:
        """Whether both state a value of one type, and not the same."""
        if self.same(other):
            return False
        if self.kind == "identifier" or other.kind == "identifier":
            return self._may_identify() and other._may_identify()
        if self.kind != other.kind:
            return False
        if self.kind == "money":
            return True
        if self.kind == "date":
            return self.shape == other.shape and any(
                _overlap(a, b) for a in self._calendars() for b in other._calendars()
            )
        return self.shape == other.shape and _same_noun(self.noun, other.noun)

    def _may_identify(self) -> bool:
        """An identifier, or a long number without a unit: `order 20481` and `your 20481`."""
        return self.kind == "identifier" or (self.is_bare and any(len(text) > 4 for text in self._texts()))

    def _texts(self) -> list[str]:
        if self.kind == "identifier":
            return [value for value in self.values if isinstance(value, str)]
        whole = [
            value for value in self.values if isinstance(value, Decimal) and value == value.to_integral()
        ]
        return [f"{value:f}" for value in whole] if self.is_bare else []

    def _calendars(self) -> list[Calendar]:
        return [value for value in self.values if isinstance(value, tuple)]


def _same_identifier(first: str, second: str) -> bool:
    """Equal but for a prefix that one of them leaves out: `KH20481`, `20481`; `+86 138...`, `138...`."""
    if first == second:
        return True
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) < _SUFFIX_CHARS or not shorter.isdigit() or not longer.endswith(shorter):
        return False
    prefix = longer[: -len(shorter)]
    return prefix.isalpha() or prefix in ("86", "0086", "1", "0") or prefix[-1] == "*"


def _overlap(first: Calendar, second: Calendar) -> bool:
    return any(a is not None and b is not None for a, b in zip(first, second, strict=True))


def _agree(first: Calendar, second: Calendar) -> bool:
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    return bool(pairs) and all(a == b for a, b in pairs)


def _same_noun(first: str, second: str) -> bool:
    return not first or not second or first == second or (not first.isascii() and bool({*first} & {*second}))
