"""Whether two values of a slot or argument are the same, by type.

Numbers, amounts, dates and identifiers must be equal once they are read
(`¥199` is `199元`, `KH-20481` is not `KH-20482`); names may differ a little
(rapidfuzz, after NFKC) unless one denies or undoes the other (`expensive`, `inexpensive`).

    values_match("3月5日", "2024-03-05"), values_match("Jing Yuan Hotel", "jingyuan hotel")   # True, True
"""

from __future__ import annotations

import re
from typing import Any

from rapidfuzz import fuzz

from dialog.metrics.facts.extract import extract
from dialog.metrics.facts.fact import Fact
from dialog.metrics.facts.numerals import NUMERAL, value_of
from dialog.text import normalise

SIGNATURE = "facts:exact|names:rapidfuzz-ratio>=90"
_MIN_RATIO = 90
_MAX_CHARS = 2_000
"""Longer values are compared whole."""
_UNDOING = re.compile(r"^(?:un|in|im|il|ir|dis|non|not|no|anti|不|非|无|未|没|免)-? ?")
_SEPARATORS = re.compile(r"[\W_]+")


def values_match(wanted: Any, given: Any) -> bool:
    """Whether `given` means `wanted`. Any value of a list of wanted alternatives will do."""
    if isinstance(wanted, list | tuple):
        if isinstance(given, list | tuple):
            return len(wanted) == len(given) and all(map(values_match, wanted, given))
        return any(values_match(one, given) for one in wanted)
    if isinstance(wanted, dict) or isinstance(given, dict | list | tuple):
        return _same_tree(wanted, given)
    if wanted is None or given is None or isinstance(wanted, bool) or isinstance(given, bool):
        return str(wanted).casefold() == str(given).casefold()
    return _texts_match(str(wanted), str(given))


def _same_tree(wanted: Any, given: Any) -> bool:
    if isinstance(given, list | tuple) and len(given) == 1:
        return values_match(wanted, given[0])
    return (
        isinstance(wanted, dict)
        and isinstance(given, dict)
        and wanted.keys() == given.keys()
        and all(values_match(value, given[key]) for key, value in wanted.items())
    )


def _texts_match(wanted: str, given: str) -> bool:
    first, second = normalise(wanted).strip(), normalise(given).strip()
    if first == second or max(len(first), len(second)) > _MAX_CHARS:
        return first == second
    if re.fullmatch(NUMERAL, first) and re.fullmatch(NUMERAL, second):
        return value_of(first) == value_of(second) is not None
    wanted_facts, given_facts = extract(wanted), extract(given)
    if wanted_facts or given_facts:
        return _same_facts(wanted_facts, given_facts) and _same_names(
            _without(wanted, wanted_facts), _without(given, given_facts)
        )
    return _same_names(first, second)


def _same_facts(first: tuple[Fact, ...], second: tuple[Fact, ...]) -> bool:
    return len(first) == len(second) and all(map(Fact.same, first, second))


def _same_names(first: str, second: str) -> bool:
    one, other = (_SEPARATORS.sub(" ", normalise(text)).strip() for text in (first, second))
    if re.search(r"\d", one + other):
        return one == other
    if one == other:
        return True
    words = zip(one.split(), other.split(), strict=False)
    if _undone(one, other) or any(_undone(first, second) for first, second in words):
        return False
    joined = one.replace(" ", ""), other.replace(" ", "")
    return max(fuzz.ratio(one, other), fuzz.ratio(*joined)) >= _MIN_RATIO


def _undone(first: str, second: str) -> bool:
    """Whether one is the other with a prefix that turns it round."""
    return first != second and (_UNDOING.sub("", second) == first or _UNDOING.sub("", first) == second)


def _without(text: str, facts: tuple[Fact, ...]) -> str:
    pieces, position = [], 0
    for fact in facts:
        pieces.append(text[position : fact.start])
        position = max(position, fact.end)
    return " ".join([*pieces, text[position:]])
