"""Text in two languages: normal form, language, words, sentences.

Standalone and rule-based: counting in an LM's tokens is the tokenizer's
business, segmentation for search and support checks is ours.

    words("iPhone 15 保修期多久")   # ["iphone", "15", "保", "修", ...]
    sentences("可以退货。运费谁出？")  # spans of two sentences
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from dialog.values import Language

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_HAN_RUN = re.compile(f"[{_HAN}]+")
_WORD = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+(?:[.,\-'’][^\W_{_HAN}]+)*")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ\d]+(?:-[A-Za-zÀ-ɏ\d]+)*")
_DIGIT = re.compile(r"\d")
_SENTENCE_END = re.compile(r"[。！？；!?]+[”’」』）)\"']*|\.+[”’)\"']*(?=\s|$)|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|no|mr|mrs|ms|dr|st|u\.s|inc|ltd|co)|\b[a-z]|(?:^|\n)\s*\d{1,3})$", re.I
)
_ABBREVIATION_CHARS = 16  # looking further back would take quadratic time on "mr. mr. mr. ..."


def normalise(text: str) -> str:
    """NFKC, case folded: for matching, never for showing."""
    return unicodedata.normalize("NFKC", text).casefold()


def detect_language(text: str) -> Language:
    """`zh` where Han characters carry the text, `en` where letters do, `und` where neither does.

    A Han character weighs like half a word, so `iPhone 15 保修期多久` is Chinese
    and `What does 保修 mean?` is English. `MK-10482` is a word of neither.
    """
    num_han = sum(len(run) for run in _HAN_RUN.findall(text))
    num_words = sum(1 + word.count("-") for word in _LATIN.findall(text) if not _DIGIT.search(word))
    if not num_han and not num_words:
        return "und"
    return "zh" if num_han / 2 >= num_words and num_han else "en"


def words(text: str) -> list[str]:
    """Normalised words: each Han character alone, everything else whole (`3.5`, `wi-fi`, `don't`)."""
    return _WORD.findall(normalise(text))


def word_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Half-open spans of the words of `text[start:end]` as they stand there, not normalised."""
    return (match.span() for match in _WORD.finditer(text, start, end))


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """Finds a phrase in a normalised text, as whole words and whole numbers; Han needs no spaces.

    Raises:
        ValueError: the phrase is blank.
    """
    bare = normalise(phrase).strip()
    if not bare:
        raise ValueError("the phrase is blank")
    before = "" if is_han(bare[0]) else rf"(?<![^\W{_HAN}])"
    after = "" if is_han(bare[-1]) else rf"(?![^\W{_HAN}])"
    before += r"(?<!\d[.,])" if bare[0].isdigit() else ""
    after += r"(?![.,]\d)" if bare[-1].isdigit() else ""
    return re.compile(before + re.escape(bare) + after)


def is_han(word: str) -> bool:
    """True if the word is a Han character or a run of them."""
    return bool(_HAN_RUN.fullmatch(word))


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the sentences of `text`, in order, without surrounding white space.

    A full stop ends a sentence only before white space and not after an
    abbreviation or a list number; line breaks and CJK stops always do.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        before = text[max(start, match.start() - _ABBREVIATION_CHARS) : match.start()]
        if match.group().startswith(".") and _ABBREVIATION.search(before):
            continue
        _add_span(spans, text, start, match.end())
        start = match.end()
    _add_span(spans, text, start, len(text))
    return spans


def _add_span(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    if left < right:
        spans.append((left, right))
