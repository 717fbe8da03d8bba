"""Choices and names: as they are written, and, for somebody who was asked, nearly so.

Only here is anything compared approximately, and only what is a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz, process

from dialog.text import is_han, words
from skills.support.reading.found import Found

NEARLY = 85.0
"""Ratio (0 to 100) from which a mistyped name is taken for a known one; two of them must not tie."""
_MIN_FUZZY_CHARS = 4
_MAX_NAME_WORDS = 4
_MAX_NAME_HAN = 8
_DENIED = re.compile(r"(?:\bnot|\bno|n't|不是|不要|不|别)\s*(?:the\s|a\s)?$", re.IGNORECASE)
_INTRODUCED = re.compile(
    r"(?i:\bmy (?:full )?name(?: is|'s)|\bi am|\bi'm|\bthis is|我叫|我的名字是|我名叫"
    r"|姓名(?:是|[::])?|我是)\s*"
    r"(?P<name>[A-Za-zÀ-ɏ][\w.'-]*(?:\s[A-Z][\w.'-]*){0,3}|[\u3400-\u9fff·]{2,8})"
)


def choices(text: str, wordings: Mapping[str, Sequence[str]], *, asked: bool) -> list[Found]:
    """Chosen values in the order of NFKC text. Only somebody `asked` may mistype."""
    spans = sorted(
        (
            (match.start(), match.end(), value)
            for value, called in wordings.items()
            for wording in (value, *called)
            for match in _mentions(text, wording)
            if not _DENIED.search(text[: match.start()])
        ),
        key=lambda span: (span[0] - span[1], span[0]),
    )
    found: list[Found] = []
    for start, end, value in spans:
        if all(end <= one.start or start >= one.end for one in found):
            found.append(Found(value=value, start=start, end=end))
    if found or not asked or _is_denied(text):
        return sorted(found, key=lambda one: one.start)
    by_wording = {wording: value for value, called in wordings.items() for wording in (value, *called)}
    near = _nearly(text, tuple(by_wording))
    return [Found(value=by_wording[near], start=0, end=len(text))] if near else []


def names(text: str, known: Sequence[str], *, asked: bool) -> list[Found]:
    """The name somebody introduces themselves by, or, `asked`, a message that is nothing else."""
    if known:
        return choices(text, dict.fromkeys(known, ()), asked=asked)
    introduced = _INTRODUCED.search(text)
    if introduced:
        name = introduced["name"].rstrip(".'-")
        start = introduced.start("name")
        return [Found(value=name, start=start, end=start + len(name))]
    bare = text.strip(" \t\n.,!。")
    said = words(bare)
    is_short = len(said) <= (_MAX_NAME_HAN if all(is_han(word) for word in said) else _MAX_NAME_WORDS)
    if asked and said and is_short and not any(char.isdigit() for char in bare):
        start = text.index(bare)
        return [Found(value=bare, start=start, end=start + len(bare))]
    return []


def _mentions(text: str, wording: str) -> list[re.Match[str]]:
    bounded = rf"\b{re.escape(wording)}\b" if wording.isascii() else re.escape(wording)
    return list(re.finditer(bounded, text, re.IGNORECASE))


def _is_denied(text: str) -> bool:
    return bool(re.search(r"\bnot\b|n't\b|不", text, re.IGNORECASE))


def _nearly(text: str, wordings: Sequence[str]) -> str | None:
    bare = " ".join(words(text))
    if len(bare) < _MIN_FUZZY_CHARS:
        return None
    best = process.extract(
        bare, wordings, scorer=fuzz.ratio, processor=str.casefold, score_cutoff=NEARLY, limit=2
    )
    if not best or (len(best) > 1 and best[0][1] == best[1][1]):
        return None
    return str(best[0][0])
