"""In which language a user speaks: that of the message's words, or, of an order number alone, the user's.

spoken("MK 20481", user="zh")    # "zh"
spoken("MK 20481 谢谢", user="en")    # "zh"
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dialog.text import detect_language
from dialog.values import Language

_NO_WORDS = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w.-]+|\b[A-Z]{1,4}[ .:#-]{0,3}(?=\d)", re.ASCII)
"""E-mail addresses, and the letters before a number: they are in no language."""


def spoken(said: str, *, user: Language) -> Language:
    """Of one message; `user` where it has no words of its own."""
    found = _of_words(said)
    return user if found == "und" else found


def language_of(said: Iterable[str]) -> Language:
    """Of a user, from all that it says."""
    return _of_words(" ".join(said))


def _of_words(text: str) -> Language:
    return detect_language(_NO_WORDS.sub(" ", text))
