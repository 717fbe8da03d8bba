"""What is to be summarised as sentences, and what can be told of each without a model.

The features know nothing of a language or a subject but what `dialog.claims`
knows of both languages: place, speaker, length, figures, and how much a
sentence shares with the rest.

    told = told_in(messages)
    features(told)     # (num sentences, len(NAMES))
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dialog.claims import content_terms, figures_in, is_negated, is_question
from dialog.phrases import small_talk
from dialog.text import normalise, sentences, words
from dialog.values import Message

if TYPE_CHECKING:
    import numpy as np

Speaker = Literal["user", "agent", ""]
NAMES = (
    "bias",
    "words_log",
    "is_short",
    "is_question",
    "has_figure",
    "is_negated",
    "is_courtesy",
    "begins_message",
    "sentence_place",
    "message_place",
    "first_message",
    "last_message",
    "speaker_first",
    "speaker_last",
    "centrality",
    "like_first",
)
_SHORT_WORDS = 5
_MAX_CHARS = 400
_COURTESY = re.compile(
    r"\b(thanks?|thank you|cheers|hi|hello|hey|sorry|apologi[sz]e|welcome|regards|have a (nice|good|great))\b"
    r"|谢谢|感谢|多谢|您好|你好|抱歉|对不起|不好意思|不客气|再见|祝您|欢迎"
)
_OFFER = re.compile(
    r"\b(what|how) can (i|we) (help|do for) you\b|(有什么|还有其他|还有什么).{0,4}(可以帮|需要帮)"
)
"""What agents open and close with."""


@dataclass(frozen=True)
class Told:
    """A sentence: who said it in which message (from 0), and where it stands there."""

    speaker: Speaker
    message: int
    start: int
    end: int
    text: str


def told_in(messages: Sequence[Message]) -> list[Told]:
    """The sentences of what users and agents said, in order; of a very long one only the beginning."""
    found: list[Told] = []
    for number, message in enumerate(messages):
        if message.role not in ("user", "assistant"):
            continue
        speaker: Speaker = "user" if message.role == "user" else "agent"
        found += _cut(message.content, number, speaker)
    return found


def told_by_nobody(text: str) -> list[Told]:
    """The sentences of a document; each paragraph counts as a message."""
    found: list[Told] = []
    at = 0
    for number, paragraph in enumerate(text.split("\n\n")):
        found += [
            Told("", number, at + one.start, at + one.end, one.text) for one in _cut(paragraph, number, "")
        ]
        at += len(paragraph) + 2
    return found


def _cut(text: str, number: int, speaker: Speaker) -> list[Told]:
    spans = [(start, min(end, start + _MAX_CHARS)) for start, end in sentences(text)]
    return [
        Told(speaker, number, start, end, text[start:end])
        for start, end in spans
        if words(text[start:end]) and not _says_nothing(text[start:end])
    ]


def _says_nothing(text: str) -> bool:
    return small_talk(text) is not None or bool(_OFFER.search(normalise(text)))


def features(told: Sequence[Told]) -> np.ndarray:
    """One row of `NAMES` a sentence, each about 0 to 1; those of one text, together.

    Returns:
        float64, shape (len(told), len(NAMES)).
    """
    import numpy as np

    if not told:
        return np.zeros((0, len(NAMES)))
    terms = [content_terms(one.text) for one in told]
    rows = [
        (*_of_itself(one.text), *_of_place(at, told), *_of_terms(at, told, terms))
        for at, one in enumerate(told)
    ]
    return np.array(rows, dtype=np.float64)


def _of_itself(text: str) -> tuple[float, ...]:
    num_words = len(words(text))
    return (
        1.0,
        math.log1p(num_words) / 4,
        float(num_words < _SHORT_WORDS),
        float(is_question(text)),
        float(bool(figures_in(text))),
        float(is_negated(text)),
        float(bool(_COURTESY.search(normalise(text)))),
    )


def _of_place(at: int, told: Sequence[Told]) -> tuple[float, ...]:
    one = told[at]
    messages = sorted({other.message for other in told})
    spoken = [other.message for other in told if other.speaker == one.speaker]
    own = [number for number, other in enumerate(told) if other.message == one.message]
    return (
        float(at == own[0]),
        (at - own[0]) / len(own),
        messages.index(one.message) / max(1, len(messages) - 1),
        float(one.message == messages[0]),
        float(one.message == messages[-1]),
        float(one.message == spoken[0]),
        float(one.message == spoken[-1]),
    )


def _of_terms(at: int, told: Sequence[Told], terms: Sequence[set[str]]) -> tuple[float, ...]:
    first = set().union(*(one for one, of in zip(terms, told, strict=True) if of.message == told[0].message))
    return _centrality(at, terms), len(terms[at] & first) / max(1, len(terms[at]))


def _centrality(at: int, terms: Sequence[set[str]]) -> float:
    """Mean overlap with the other sentences, relative to the lengths of both.

    Source: Mihalcea and Tarau 2004, "TextRank", section 4.1, without the walk.
    """
    mine = terms[at]
    overlaps = [
        len(mine & other) / (math.log1p(len(mine)) + math.log1p(len(other)))
        for number, other in enumerate(terms)
        if number != at and mine and other
    ]
    return sum(overlaps) / len(overlaps) if overlaps else 0.0
