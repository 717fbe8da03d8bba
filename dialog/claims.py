"""What a sentence claims: its content words, its figures, and whether it denies.

The parts that must agree between a reply and its source. Figures and denial
are compared exactly, never by similarity; words are compared by stem.

    content_terms("You can return items")   # {"return", "item"}
    figures_in("¥1,000 or 5%")              # {"1000", "5"}
    is_negated("礼品卡不可退货。")              # True
"""

from __future__ import annotations

import re

from dialog.stemmer import stem
from dialog.text import is_han, normalise, words

_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_IDENTIFIER = re.compile(r"\b(?=[a-z0-9-]*\d)(?=[a-z0-9-]*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*\b")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|cannot|without|neither|nor|unable)\b|n['’]t\b"
    r"|不|没|無|无法|未|勿|非|禁止"
)
_NOT_NEGATION = re.compile(r"不仅|不但|不过|不同|不断|不客气|不好意思|是否|no\. ?\d|not only")
_ENGLISH = """
a an and are as at be been but by can could do does for from had has have how i if in into is it its may
me my of on or our please shall should so such than that the their them then there these they this those
to us was we were what when where which who will with would you your yes also about
"""
_STOP_WORDS = frozenset(
    (*_ENGLISH.split(), *"的了是在和与及或也就都而您你我他她它们请吗呢吧啊有会能可以这那个为于对把被")
)
"""Of statements; a question's (`dialog.knowledge.stopwords`) are others."""


def content_terms(text: str) -> set[str]:
    """Stemmed words and Han bigrams that carry meaning; single Han characters only where they stand alone."""
    terms: set[str] = set()
    previous_han = ""
    for word in words(text):
        if is_han(word):
            if previous_han and not (word in _STOP_WORDS and previous_han in _STOP_WORDS):
                terms.add(previous_han + word)
            previous_han = word
            continue
        previous_han = ""
        if word not in _STOP_WORDS:
            terms.add(stem(word))
    return terms


def figures_in(text: str) -> set[str]:
    """Numbers and identifiers, normalised: `1,000` is `1000`; list numbering at a line's start is none."""
    plain = re.sub(r"(?m)^\s*\d{1,2}[.)、]\s", " ", normalise(text))
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    return {re.sub(r"\.0+$", "", number) for number in _NUMBER.findall(plain)} | set(
        _IDENTIFIER.findall(plain)
    )


def is_negated(text: str) -> bool:
    """Whether a sentence denies something; `不仅`, `not only` and their like do not."""
    return bool(_NEGATION.search(_NOT_NEGATION.sub(" ", normalise(text))))


def is_question(text: str) -> bool:
    """A question, an FAQ's for instance, states nothing that could support a claim."""
    return text.rstrip("”’」』）)\"' ").endswith(("?", "？"))
