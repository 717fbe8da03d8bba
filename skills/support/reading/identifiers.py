"""Order numbers and their like: by their pattern, to the letter. One digit off is another order."""

from __future__ import annotations

import regex

from skills.support.reading.found import Found

_TIMEOUT_S = 1.0
_LOOKS_LIKE_ONE = regex.compile(r"(?<![\w-])(?=[\w#-]*\d)#?[A-Za-z0-9][A-Za-z0-9-]{2,}(?![\w-])")


def identifiers(text: str, pattern: str) -> list[Found]:
    """What the whole pattern matches in NFKC text, in capitals where only those fit; no part of a word.

    A pattern that takes longer than a second on a message finds nothing.
    """
    compiled = regex.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9_-])", regex.IGNORECASE)
    exact = regex.compile(pattern)
    found = []
    try:
        for match in compiled.finditer(text, timeout=_TIMEOUT_S):
            value = next((one for one in (match[0], match[0].upper()) if exact.fullmatch(one)), None)
            if value is not None:
                found.append(Found(value=value, start=match.start(), end=match.end()))
    except TimeoutError:
        return []
    return found


def near_misses(text: str) -> list[Found]:
    """Words with digits in them: somebody asked for an identifier who says one of these meant it."""
    return [
        Found(value=match[0], start=match.start(), end=match.end(), trouble="not_known")
        for match in _LOOKS_LIKE_ONE.finditer(text)
    ]
