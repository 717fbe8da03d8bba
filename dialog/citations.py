"""Aligning the sentences of a reply with the passages that support them.

Rules, no model: a sentence is supported by a passage when its content words
occur there close together, every number, amount, date and identifier in it
occurs there too, and neither negates what the other affirms.
Numbers and negation are compared exactly, never by similarity.

    check = check_sentence("Returns are free within 30 days.", passages=passages, said="returns?")
    check.supported(0.6), check.quote
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dialog.claims import content_terms, figures_in, is_negated, is_question
from dialog.guard.orders import is_order
from dialog.text import sentences
from dialog.values import Citation, Passage

_HEADING = re.compile(r"#{1,6}\s|\|[-:| ]+\|")
"""A Markdown heading or the rule of a table: structure, not a statement."""
_QUOTE_SENTENCES = 3
_SUPPORT_SENTENCES = 2
_FREE_TERMS = 1
"""A sentence with fewer content terms than this many plus one claims nothing that could be checked."""


@dataclass(frozen=True)
class Check:
    """What a sentence rests on: the best passage, its span in the original, and how well it fits.

    `score` in [0, 1] is the share of the sentence's content terms found in the
    span, 0 where a number or a negation contradicts it, and 1 with no passage
    where the sentence claims nothing.
    """

    score: float
    passage: Passage | None = None
    char_start: int = 0
    char_end: int = 0

    def supported(self, threshold: float) -> bool:
        return self.score >= threshold

    @property
    def quote(self) -> str:
        if self.passage is None:
            return ""
        offset = self.passage.char_start
        return self.passage.text[self.char_start - offset : self.char_end - offset]


def check_sentence(sentence: str, *, passages: Sequence[Passage], said: str = "") -> Check:
    """The best support for one sentence.

    Args:
        sentence: a sentence of the reply.
        passages: what the reply may rest on, best first; earlier ones win ties.
        said: what the user said; numbers from there may be repeated.
    """
    known = figures_in(said)
    terms = content_terms(sentence) - known
    figures = figures_in(sentence) - known
    if len(terms) <= _FREE_TERMS and not figures:
        return Check(score=1.0)
    best = Check(score=0.0)
    for passage in passages:
        candidate = _best_window(terms, figures, passage, negated=is_negated(sentence))
        if candidate.score > best.score:
            best = candidate
    return best


def relevance(query: str, text: str) -> float:
    """Share of the query's content terms that occur in `text`, in [0, 1]; 0 where the query has none."""
    terms = content_terms(query)
    return len(terms & content_terms(text)) / len(terms) if terms else 0.0


def best_relevance(query: str, passages: Sequence[Passage]) -> float:
    """The relevance of the sentence of `passages` that says most about `query`."""
    texts = (passage.text[start:end] for passage in passages for start, end in sentences(passage.text))
    return max((relevance(query, text) for text in texts), default=0.0)


def cite(check: Check, *, reply_start: int, reply_end: int) -> Citation | None:
    """The citation for a checked sentence at a span of the reply; None if it rests on nothing."""
    if check.passage is None:
        return None
    return Citation(
        passage_id=check.passage.id,
        source=check.passage.source,
        title=check.passage.title,
        quote=check.quote,
        reply_start=reply_start,
        reply_end=reply_end,
        char_start=check.char_start,
        char_end=check.char_end,
        page=check.passage.page,
        last_page=check.passage.last_page,
        sheet=check.passage.sheet,
    )


def place(found: Passage | Citation) -> str:
    """`, page 3`, `, pages 3-4` or `, sheet Prices`, to follow the source; empty where it has neither."""
    if found.sheet is not None:
        return f", sheet {found.sheet}"
    if found.page is None:
        return ""
    is_one = found.last_page in (None, found.page)
    return f", page {found.page}" if is_one else f", pages {found.page}-{found.last_page}"


def best_quote(query: str, passage: Passage, *, max_sentences: int = _QUOTE_SENTENCES) -> tuple[int, int]:
    """The span of `passage.text` to show for `query`: an FAQ's answer, else what says most about it.

    A short passage is quoted whole, without its heading lines. Where query and
    passage share no term (two languages), the passage's beginning is taken. What
    is addressed to the model is never part of it; the span is empty where
    nothing else is there.
    """
    if passage.answer and not is_order(passage.answer):
        start = passage.text.rfind(passage.answer)
        if start >= 0:
            return start, start + len(passage.answer)
    best: tuple[float, int, int] = (-1.0, 0, 0)
    for run in _runs(passage.text):
        spans = [span for span in run if not _HEADING.match(passage.text, span[0])] or run
        scores = [relevance(query, passage.text[start:end]) for start, end in spans]
        size = min(max_sentences, len(spans))
        for first in range(len(spans) - size + 1):
            score = sum(scores[first : first + size])
            if score > best[0]:
                best = (score, spans[first][0], spans[first + size - 1][1])
    return best[1], best[2]


def _best_window(terms: set[str], figures: set[str], passage: Passage, *, negated: bool) -> Check:
    """The span of `passage` that covers most terms and every figure.

    A sentence with figures must rest on one sentence: two facts of a passage,
    mixed, make a false third ("orders above $60 take one working day").
    """
    best = Check(score=0.0)
    runs = [
        [span for span in run if not is_question(passage.text[slice(*span)])] for run in _runs(passage.text)
    ]
    for length in range(1, 2 if figures else _SUPPORT_SENTENCES + 1):
        for window in (run[first : first + length] for run in runs for first in range(len(run) - length + 1)):
            start, end = window[0][0], window[-1][1]
            text = passage.text[start:end]
            if not figures <= figures_in(text):
                continue
            score = len(terms & content_terms(text)) / max(len(terms), 1)
            # A longer quote must earn its length.
            score = max(0.0, score - 0.1 * (length - 1))
            if score > best.score and _polarity_agrees(terms, passage, window, negated=negated):
                best = Check(
                    score=score,
                    passage=passage,
                    char_start=passage.char_start + start,
                    char_end=passage.char_start + end,
                )
    return best


def _runs(text: str) -> list[list[tuple[int, int]]]:
    """The sentences of a passage, cut where one is addressed to the model: no quote reaches across it."""
    runs: list[list[tuple[int, int]]] = [[]]
    for span in sentences(text):
        if is_order(text[slice(*span)]):
            runs.append([])
        else:
            runs[-1].append(span)
    return [run for run in runs if run]


def _polarity_agrees(
    terms: set[str], passage: Passage, spans: Iterable[tuple[int, int]], *, negated: bool
) -> bool:
    """Compares with the one sentence that says most of the same words."""
    closest = max((passage.text[start:end] for start, end in spans), key=lambda text: _overlap(terms, text))
    return is_negated(closest) == negated


def _overlap(terms: set[str], text: str) -> float:
    return len(terms & content_terms(text)) / max(len(terms), 1)
