"""Approved answers: given word for word where they fit, their slots filled with checked values.

An answer somebody approved is better than one a model composes. It fits where
the user asks the very question it was written for; placeholders in a template
(`{order_number}`, `{date:date}`, `{订单号}`) take the conversation's slots, and
nothing is said while one is missing or is not what it should be.

    filled = fill("Parcel {parcel:id} arrives on {day:date}.", {"parcel": "MK-2041", "day": "2026-02-03"})
    filled.text, filled.missing, filled.wrong
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dialog.claims import content_terms, figures_in, is_negated
from dialog.values import Passage

SAME_QUESTION = 0.6
"""Share of content terms that two wordings of one question have in common. On the sample shop's questions
for fitting, every FAQ answer found at or above it was the right one, and at .5 the first wrong ones came."""
MAX_VALUE_CHARS = 200
_SLOT = re.compile(r"\{([^\W\d]\w{0,63})(?::(text|number|money|date|id))?\}")
_KINDS = {
    "number": re.compile(r"[+-]?\d+(?:[.,]\d+)*"),
    "money": re.compile(
        r"(?:[$€£¥￥]|(?:usd|eur|gbp|cny|rmb)\s?)?\d+(?:[.,]\d+)*"
        r"\s?(?:元|块|美元|usd|eur|gbp|cny|rmb|[€$])?",
        re.I,
    ),
    "date": re.compile(
        r"\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|(?:\d{4}\s?年)?\s?\d{1,2}\s?月\s?\d{1,2}\s?[日号]"
        r"|(?:\d{1,2} )?"
        r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d{1,2})?(?:,? \d{4})?",
        re.I,
    ),
    "id": re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9_./#-]*"),
}


@dataclass(frozen=True)
class Filled:
    """A template with the values there are; `text` may be said only if nothing is missing or wrong."""

    text: str
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the slots that must be asked for, in the order of the text."""
        return (*self.missing, *self.wrong)


def is_template(passage: Passage) -> bool:
    """True for an FAQ entry whose `template` field says so (`yes`, `true`, `1`, `是`)."""
    marked = str(passage.metadata.get("template", "")).strip().casefold()
    return passage.answer is not None and marked in ("yes", "true", "1", "是", "模板")


def placeholders(answer: str) -> dict[str, str]:
    """The slots of a template with their kinds, in the order of the text."""
    found: dict[str, str] = {}
    for match in _SLOT.finditer(answer):
        found.setdefault(match[1], match[2] or "text")
    return found


def fill(answer: str, values: Mapping[str, Any]) -> Filled:
    """`answer` with its placeholders replaced; every occurrence of a slot gets the same value.

    A value is one line of at most `MAX_VALUE_CHARS` characters without control
    characters, and of the kind the placeholder names.
    """
    missing: dict[str, None] = {}
    wrong: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        name, kind = match[1], match[2] or "text"
        given = values.get(name)
        shown = "" if given is None else str(given).strip()
        if not shown:
            missing[name] = None
        elif not _is_of(kind, shown):
            wrong[name] = None
        return shown

    text = _SLOT.sub(value, answer)
    return Filled(text, tuple(missing), tuple(name for name in wrong if name not in missing))


def fits(asked: str, passage: Passage) -> bool:
    """Whether `asked` is the question that the passage's approved answer was written for.

    Most content words in common, the same polarity, and no figure that the entry
    does not have: "within 45 days?" is not "within 30 days?".
    """
    if passage.answer is None:
        return False
    question = passage.text[: passage.text.rfind(passage.answer)]
    ours, theirs = content_terms(asked), content_terms(question)
    if not ours or not theirs or 2 * len(ours & theirs) / (len(ours) + len(theirs)) < SAME_QUESTION:
        return False
    return is_negated(asked) == is_negated(question) and figures_in(asked) <= figures_in(question)


def _is_of(kind: str, value: str) -> bool:
    if len(value) > MAX_VALUE_CHARS or any(
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in value
    ):
        return False
    return kind == "text" or bool(_KINDS[kind].fullmatch(unicodedata.normalize("NFKC", value)))
