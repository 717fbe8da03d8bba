"""English endings off, cautiously: enough that `returns`, `returned`, `returning` and `return` meet.

Not Porter: no step that turns a word into another one's stem (`universe`,
`university`). Words with non-ASCII letters pass through.

    stem("policies")   # "polici"
    stem("policy")     # "polici"
"""

from __future__ import annotations

import re

_VOWEL = re.compile(r"[aeiouy]")


def stem(word: str) -> str:
    """The stem of a lower-case word; short words are left alone."""
    if len(word) <= 3 or not word.isascii():
        return word
    return _final_e(_past_and_progressive(_plural(word)))


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("ies"):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _past_and_progressive(word: str) -> str:
    if word.endswith("eed"):
        return word
    for ending in ("ing", "ed"):
        if word.endswith(ending):
            rest = word[: -len(ending)]
            if len(rest) < 3 or not _VOWEL.search(rest):
                return word
            if rest[-1] == rest[-2] and rest[-1] not in "lsz":
                return rest[:-1]
            return rest
    return word


def _final_e(word: str) -> str:
    if word.endswith("y") and len(word) > 3 and word[-2] not in "aeiou":
        return word[:-1] + "i"
    if word.endswith("e") and len(word) > 4:
        return word[:-1]
    return word
