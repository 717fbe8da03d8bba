"""Slots read out of a message: typed, checked, and never guessed.

    read("请明天上门取件", spec, today=date(2026, 3, 4), asked=False)    # [Found(value="2026-03-05", ...)]

A value is recorded as text: a date as `2026-03-05`, an amount as `199.00 CNY`, an
identifier as its pattern writes it. What was meant as a value and cannot be
one comes with its `trouble`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never

from skills.support.flows import SlotSpec
from skills.support.reading.amounts import amounts, numbers
from skills.support.reading.dates import FoundDate, dates
from skills.support.reading.found import Found, Trouble
from skills.support.reading.identifiers import identifiers, near_misses
from skills.support.reading.names import choices, names

_LEAD = re.compile(r"(?:it is|it's|(?:change it|make it) to|改成|改为|换成)\s*[:,]?\s*", re.IGNORECASE)
MAX_CHARS = 4000
"""Of a message; what stands behind is not read."""


def clean(text: str) -> str:
    """What spans refer to: NFKC, one kind of apostrophe, cut at `MAX_CHARS`."""
    return unicodedata.normalize("NFKC", text[:MAX_CHARS]).replace("’", "'")


def read(text: str, spec: SlotSpec, *, today: date, asked: bool) -> list[Found]:
    """The slot's values in a `clean` text, in order.

    Args:
        asked: the message answers the question for this slot, so it may be brief: a bare number is an
            amount, a mistyped name is taken for the known one, and a free text is the message.
    """
    match spec.kind:
        case "id":
            found = identifiers(text, spec.pattern or "")
            return found or (near_misses(text) if asked else [])
        case "date":
            return [_dated(one, text, spec, today) for one in dates(text, today=today)]
        case "money":
            return [_ranged(one, spec) for one in amounts(text, bare=asked)]
        case "number":
            return [_ranged(one, spec) for one in numbers(text)] if asked else []
        case "choice":
            return choices(text, {value: called.all() for value, called in spec.choices.items()}, asked=asked)
        case "name":
            return names(text, spec.known, asked=asked)
        case "text":
            said = text.strip()
            lead = _LEAD.match(said)
            said = said[lead.end() :] if lead else said
            return [Found(value=said, start=0, end=len(text))] if asked and said else []
        case _:
            assert_never(spec.kind)


def _ranged(found: Found, spec: SlotSpec) -> Found:
    amount = Decimal(found.value.split()[0])
    low, high = spec.least, spec.most
    if (low is not None and amount < low) or (high is not None and amount > high):
        return found.model_copy(update={"trouble": "out_of_range"})
    return found


def _dated(found: FoundDate, text: str, spec: SlotSpec, today: date) -> Found:
    """The first candidate in the slot's range."""
    fitting = [day for day in found.candidates if _is_in_range(day, spec, today)]
    said = text[found.start : found.end]
    span = {"start": found.start, "end": found.end}
    if found.is_ambiguous and len(fitting) > 1:
        return Found(value=said, **span, trouble="ambiguous")
    if not fitting:
        return Found(value=said, **span, trouble="out_of_range")
    return Found(value=fitting[0].isoformat(), **span)


def _is_in_range(day: date, spec: SlotSpec, today: date) -> bool:
    first, last = spec.from_days, spec.to_days
    return (first is None or day >= today + timedelta(days=first)) and (
        last is None or day <= today + timedelta(days=last)
    )


__all__ = ["MAX_CHARS", "Found", "Trouble", "clean", "read"]
