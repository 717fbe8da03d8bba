"""An extractive summary of older turns: their own sentences, the telling ones, within a size.

It invents nothing and calls no model: sentences that carry numbers, identifiers,
dates, amounts or decisions are kept as they were said, with who said them.
Anything that fits `Summariser` may take its place.

    summary = extract(turns, previous=None, language="en", max_tokens=200, count=count)
    summary.text          # "User: my order is 4711\\nAgent: It was refunded on 3 May."
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from dialog.text import sentences
from dialog.values import Language, Summary, Turn

_SPEAKERS = {"en": ("User: ", "Agent: "), "zh": ("用户：", "客服：")}
_IDENTIFIER = re.compile(r"\d{4,}|\b(?=\w*[A-Z])(?=\w*\d)[\w-]{4,}|[\w.+-]+@[\w-]+\.\w")
_FACT = re.compile(r"\d|[零一二三四五六七八九十百千两]+[天日月年元块件个次点号]")
_DECISION = re.compile(
    r"\b(agree|accept|cancel|confirm|refund|decide|choose|chose|prefer|deliver|book|replace)\w*"
    r"|\b(instead|will|must|won't|cannot|can't|not|never|no longer)\b"
    r"|同意|确认|取消|退款|退货|换货|决定|选择|改为|改成|不要|不能|不可以|没有|必须|已经|已为|需要|安排|预约|发货",
    re.IGNORECASE,
)
_MAX_SENTENCE_CHARS = 400
_MAX_MESSAGE_CHARS = 20_000


class Summariser(Protocol):
    """Makes a view of older turns.

    `turns` are oldest first; `previous` is an earlier summary to be absorbed;
    the text must be in `language` and at most `max_tokens` long by `count`.
    `summary_of` fills in the id and what it covers.
    """

    def __call__(
        self,
        turns: Sequence[Turn],
        *,
        previous: Summary | None,
        language: Language,
        max_tokens: int,
        count: Callable[[str], int],
    ) -> Summary: ...


@dataclass(frozen=True)
class _Sentence:
    order: int
    line: int
    speaker: str
    text: str

    @property
    def rank(self) -> int:
        """An identifier outweighs a number, a number a decision; 0 for none of them."""
        facts = 4 * bool(_IDENTIFIER.search(self.text)) + 2 * bool(_FACT.search(self.text))
        return facts + bool(_DECISION.search(self.text))


def extract(
    turns: Sequence[Turn],
    *,
    previous: Summary | None,
    language: Language,
    max_tokens: int,
    count: Callable[[str], int],
) -> Summary:
    """The most telling sentences that fit, in the order they were said; among equals the newest.

    The text is empty if no sentence tells anything or none fits. Of a very long
    message only the beginning is read.
    """
    told = [_Sentence(order, *rest) for order, rest in enumerate(_lines(turns, previous, language))]
    telling = {sentence.text: sentence for sentence in told if sentence.rank}  # a repeated one: its last
    chosen: list[_Sentence] = []
    left = max_tokens
    for sentence in sorted(telling.values(), key=lambda one: (one.rank, one.order), reverse=True):
        cost = count(f"{sentence.speaker}{sentence.text}\n")
        if cost <= left:
            chosen.append(sentence)
            left -= cost
    return summary_of(_text(chosen), turns, previous=previous, language=language)


def summary_of(text: str, turns: Sequence[Turn], *, previous: Summary | None, language: Language) -> Summary:
    """A summary with its provenance: the ids of `turns`, after those `previous` covered."""
    covers = [*previous.covers] if previous is not None else []
    for turn in turns:
        covers += [turn.user_id, *([turn.reply_id] if turn.reply_id else [])]
    digest = hashlib.sha256("\0".join([text, *covers]).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Summary(id=f"summary-{digest}", text=text, covers=tuple(covers), language=language)


def _lines(
    turns: Sequence[Turn], previous: Summary | None, language: Language
) -> Iterator[tuple[int, str, str]]:
    """(line number, speaker, sentence), oldest first."""
    user, agent = _SPEAKERS.get(language, _SPEAKERS["en"])
    number = 0
    for line in previous.text.splitlines() if previous is not None else ():
        number += 1
        yield number, "", line[:_MAX_SENTENCE_CHARS]
    for turn in turns:
        for speaker, text in ((user, turn.user), (agent, turn.reply or "")):
            number += 1
            for start, end in sentences(text[:_MAX_MESSAGE_CHARS]):
                yield number, speaker, text[start : min(end, start + _MAX_SENTENCE_CHARS)]


def _text(chosen: Sequence[_Sentence]) -> str:
    """One line for each message that is quoted."""
    ordered = sorted(chosen, key=lambda one: one.order)
    lines = [list(group) for _, group in groupby(ordered, key=lambda one: one.line)]
    return "\n".join(line[0].speaker + " ".join(one.text for one in line) for line in lines)
