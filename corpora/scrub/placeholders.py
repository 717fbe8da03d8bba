"""What stands in for a find: `[PHONE_1]`, the same for the same value throughout a conversation.

Values are compared as people mean them: "138 1234 5678" and "+86 13812345678"
are one number, "Li.Wei@163.com" and "li.wei@163.com" one address, "Ann" is "Ann Lee"
and 张(先生) is 张伟 while there is only one of them.

    standing_in = Placeholders(taken=["see [PHONE_1]"])
    standing_in("PHONE", "138 1234 5678")     # "[PHONE_2]": 1 is taken
    standing_in("PHONE", "13812345678")       # "[PHONE_2]"
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from corpora.scrub.folding import fold

_PLACEHOLDER = re.compile(r"\[([A-Z][A-Z_]{0,30})_(\d{1,6})\]")
_SIGNIFICANT_PHONE_DIGITS = 10


class Placeholders:
    """The numbering of one conversation."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._last: dict[str, int] = {}
        self._given: dict[tuple[str, str], str] = {}
        self._names: dict[tuple[str, ...], str] = {}
        for text in taken:
            for kind, number in _PLACEHOLDER.findall(text) if "[" in text else ():
                self._last[kind] = max(self._last.get(kind, 0), int(number))

    def __call__(self, kind: str, value: str) -> str:
        """The placeholder of a value; a new number if it has none yet."""
        key = (kind, canonical(kind, value))
        if key not in self._given and kind == "NAME":
            words = _words(value)
            same = self._same_person(words)
            if same is not None:
                self._given[key] = same
            self._names.setdefault(words, same or f"[NAME_{self._last.get(kind, 0) + 1}]")
        if key not in self._given:
            self._last[kind] = self._last.get(kind, 0) + 1
            self._given[key] = f"[{kind}_{self._last[kind]}]"
        return self._given[key]

    def _same_person(self, words: tuple[str, ...]) -> str | None:
        """The only name so far of which this is a part, or which is a part of this."""
        if len(words) == 1:
            fitting = {given for whole, given in self._names.items() if words[0] in whole}
        else:
            fitting = {given for part, given in self._names.items() if len(part) == 1 and part[0] in words}
        return fitting.pop() if len(fitting) == 1 else None


def _words(name: str) -> tuple[str, ...]:
    """A Latin name's words; a Han name's surname and the rest."""
    text = fold(name).text.casefold().strip()
    if any("\u3400" <= character <= "\u9fff" for character in text):
        return (text[0], text[1:]) if len(text) > 1 else (text,)
    return tuple(re.findall(r"[^\W\d_]+", text))


def canonical(kind: str, value: str) -> str:
    """The form in which equal values are equal."""
    text = fold(value).text.casefold()
    if kind == "PHONE":
        digits = re.sub(r"\D", "", text)
        return (
            digits[-_SIGNIFICANT_PHONE_DIGITS:] if len(digits) > _SIGNIFICANT_PHONE_DIGITS else digits or text
        )
    if kind in ("URL", "EMAIL", "IP"):
        return text
    return "".join(character for character in text if character.isalnum())
