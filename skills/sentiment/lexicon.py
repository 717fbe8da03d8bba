"""Words of praise and blame, of negation, degree and contrast, in two languages; written for this project.

lexicon = load_lexicon("zh")
lexicon.find("不太好吃")     # the words that count, with their places
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from dialog.values import Value

Kind = Literal["praise", "blame", "negation", "degree", "contrast"]
_LEXICONS = Path(__file__).parent


@dataclass(frozen=True)
class Found:
    """A word of the lexicon at its place in a text; `weight` is of praise, blame and degree."""

    kind: Kind
    start: int
    end: int
    weight: float = 1.0


class Lexicon(Value):
    """Words with their weights (1 where nothing else is said), and words that only look like them."""

    praise: Mapping[str, float]
    blame: Mapping[str, float]
    degree: Mapping[str, float]
    negation: tuple[str, ...]
    contrast: tuple[str, ...]
    neutral: tuple[str, ...] = ()

    def find(self, text: str) -> list[Found]:
        """Words in order, the longest at each place; those of `neutral` are passed over."""
        found = []
        for match in self._pattern.finditer(text.lower()):
            if (known := self._words.get(match.group())) is not None:
                kind, weight = known
                found.append(Found(kind, match.start(), match.end(), weight))
        return found

    @cached_property
    def _words(self) -> dict[str, tuple[Kind, float]]:
        words: dict[str, tuple[Kind, float]] = dict.fromkeys(self.negation, ("negation", 1.0))
        words |= dict.fromkeys(self.contrast, ("contrast", 1.0))
        words |= {one: ("degree", weight) for one, weight in self.degree.items()}
        words |= {one: ("praise", weight) for one, weight in self.praise.items()}
        return words | {one: ("blame", weight) for one, weight in self.blame.items()}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted({*self._words, *self.neutral}, key=len, reverse=True)
        return re.compile("|".join(_bounded(word) for word in longest_first))


@cache
def load_lexicon(language: str) -> Lexicon:
    """`zh`, or for any other language the English one."""
    path = _LEXICONS / f"lexicon.{'zh' if language == 'zh' else 'en'}.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    for kind in ("praise", "blame", "degree"):
        table[kind] = {word: float(weight) for weight, words in table[kind].items() for word in words}
    return Lexicon.model_validate(table)


def _bounded(word: str) -> str:
    """ASCII words stand alone; Chinese is written without spaces."""
    escaped = re.escape(word)
    return rf"(?<![a-z0-9]){escaped}(?![a-z0-9])" if word.isascii() else escaped
