"""Misspelt names and product codes in a question, against the names that the index holds.

Only a word that the index does not know and that is no ordinary word is looked
at, and only a name with the same first letter can take its place: a word of a
title, one written with a capital inside a sentence, or a code of letters and
digits. Digits are never changed, nor is anything called a number or an order;
negations and numerals are no names. Chinese names are those of titles, with one
character wrong. What is found is searched for besides what was written, never
instead.

    for found in corrections(names, "Is the Aldrwing in stock?", ordinary=ordinary_words):
        print(found.wrong, found.right)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.lexical import Lexicon
from dialog.knowledge.rows import ChunkRow
from dialog.knowledge.segment import query_terms, terms
from dialog.knowledge.stopwords import CHINESE_STOP_CHARACTERS, ENGLISH_STOP_WORDS
from dialog.knowledge.views import View
from dialog.text import normalise

MAX_CORRECTIONS = 3
_MAX_TOKENS = 40
_MAX_QUERY_CHARS = 2_000
_LEAST_LETTERS = 4
_TWO_ERRORS_FROM = 8
"""Letters a word must have to be allowed two errors; below, one."""
_LOOKED_AT = 5
_ENDING = 2
_LEAST_BEGINNING = 4
_MAX_HAN_CHARS = 60
_MOST_SHARED = 7
_MAX_HAN_PLACES = 6
_TITLES = 50
_TOKEN = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_HAN_RUN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{3,}")
_NO_NAME = CHINESE_STOP_CHARACTERS | frozenset(
    "不没无非未勿别莫一二三四五六七八九十百千万亿零两半年月日号元块角分"
    "是有在个家找要想能会可以去来到给和跟很太还再也都就才又把被让从对请问几多少怎"
)
"""Negations, numerals, and characters that join names rather than make them."""
_NUMBER_WORDS = re.compile(
    r"(?:\b(?:order|number|no|nr|id|code|ref|reference|invoice|tracking|parcel|voucher|coupon)\b|单号?|编号|号码|码)"
    r"[\s.:#：]*$"
)
_SENTENCE_START = re.compile(r"(?:^|[.!?。！？:：\n]|[-*#|>])[\s\"'“(]*$")

Words = Callable[[], AbstractSet[str]]


@dataclass(frozen=True)
class Correction:
    """What was written, and the name it is taken for."""

    wrong: str
    right: str


def corrections(names: Names, query: str, *, ordinary: Words) -> list[Correction]:
    """At most three, in the order of the query.

    Args:
        names: what may be meant.
        query: what the user wrote.
        ordinary: words that exist; read only if a name is found for one.
    """
    text = query[:_MAX_QUERY_CHARS]
    return [*_latin(names, text, ordinary), *_han(names, text, ordinary)][:MAX_CORRECTIONS]


def corrected(query: str, found: Sequence[Correction]) -> str:
    """The query with the names in their places."""
    for one in found:
        query = query.replace(one.wrong, one.right)
    return query


@dataclass(frozen=True)
class Names:
    """The passages whose names may be used: those of a view."""

    catalog: Catalog
    lexicon: Lexicon
    view: View

    def holding(self, wanted: Sequence[str], *, limit: int, in_heading: bool = False) -> list[ChunkRow]:
        numbers = self.lexicon.holding(wanted, limit=limit, view=self.view, in_heading=in_heading)
        return self.catalog.chunks(numbers)

    def known(self, wanted: Sequence[str]) -> dict[str, int]:
        """In how many of the passages each term occurs; absent terms are left out."""
        return self.lexicon.document_frequencies(wanted, view=self.view)


def _latin(names: Names, text: str, ordinary: Words) -> Iterator[Correction]:
    asked: dict[str, str] = {}
    for match in list(_TOKEN.finditer(text))[:_MAX_TOKENS]:
        for word in _pieces(match.group()):
            term = (query_terms(word) or [""])[0]
            if _may_be_name(term) and word.lower() not in ENGLISH_STOP_WORDS:
                if any(c.isdigit() for c in term) and _NUMBER_WORDS.search(text[: match.start()].lower()):
                    continue
                asked.setdefault(term, word)
    known = names.known(list(asked)) if asked else {}
    for term, word in asked.items():
        if term in known:
            continue
        right = _nearest_name(names, word)
        if right and normalise(word) not in ordinary() and term not in ordinary():
            yield Correction(wrong=word, right=right)


def _pieces(token: str) -> list[str]:
    """The ASCII pieces of a token: Chinese and Latin letters may touch."""
    return re.findall(r"[A-Za-z0-9]+(?:[-'’][A-Za-z0-9]+)*", token)


def _may_be_name(term: str) -> bool:
    letters = sum(c.isalpha() for c in term)
    return letters >= _LEAST_LETTERS and term.isascii() and term.isalnum()


def _nearest_name(names: Names, word: str) -> str | None:
    """The one name nearest to a word, as it is written in the index; None if there is none, or two."""
    term = query_terms(word)[0]
    limit = 2 if len(word) >= _TWO_ERRORS_FROM else 1
    # Terms are stems: an error in an ending is further away there than in the words themselves.
    candidates = [other for other in names.catalog.vocabulary(term[0]) if _may_be_name(other)]
    near = process.extract(
        term, candidates, scorer=OSA.distance, score_cutoff=limit + _ENDING, limit=_LOOKED_AT
    )
    named = sorted(
        (distance, written)
        for other, _, _ in near
        if _digits(other) == _digits(term)
        and (written := _as_name(names, other)) is not None
        and (distance := OSA.distance(normalise(word), normalise(written))) <= limit
    )
    if not named or (len(named) > 1 and named[0][0] == named[1][0]):
        return None
    return named[0][1]


def _digits(term: str) -> str:
    return "".join(c for c in term if c.isdigit())


def _as_name(names: Names, term: str) -> str | None:
    """How the index writes a term, if it is a name there."""
    for row in names.holding([term], limit=3):
        for text, is_title in ((row.heading, True), (row.text, False)):
            for match in _TOKEN.finditer(text):
                word = match.group()
                if term not in terms(word):
                    continue
                is_code = any(c.isdigit() for c in word)
                is_capital = word[0].isupper() and not _SENTENCE_START.search(text[: match.start()][-20:])
                if is_title or is_code or is_capital:
                    return word
    return None


def _han(names: Names, text: str, ordinary: Words) -> Iterator[Correction]:
    for match in _HAN_RUN.finditer(text):
        run = match.group()[:_MAX_HAN_CHARS]
        pairs = [run[i : i + 2] for i in range(len(run) - 1)]
        known = names.known(list(dict.fromkeys(pairs)))
        places = [
            i
            for i, character in enumerate(run)
            if character not in _NO_NAME and not known.keys() & set(pairs[max(0, i - 1) : i + 1])
        ]
        for i in places[:_MAX_HAN_PLACES]:
            found = _han_name(names, run, i, known=[pair for pair in pairs if pair in known])
            if found and not any(pair in ordinary() for pair in pairs[max(0, i - 1) : i + 1]):
                yield found


def _han_name(names: Names, run: str, wrong: int, *, known: Sequence[str]) -> Correction | None:
    """The one longest name around `wrong` that differs in that character only.

    A name is a document's title, or how one begins where four characters of it are named.
    """
    near = [pair for pair in known if pair in run[max(0, wrong - _MOST_SHARED) : wrong + _MOST_SHARED]]
    if near:
        wanted = list(dict.fromkeys(near))
    elif 0 < wrong < len(run) - 1:
        wanted = [run[wrong - 1], run[wrong + 1]]
    else:
        return None
    rows = names.holding(wanted, limit=_TITLES, in_heading=True)
    longest, found = 0, set[Correction]()
    for title in {run for row in rows for run in _HAN_RUN.findall(row.heading.split(" > ")[0])}:
        for place, character in enumerate(title[: _MOST_SHARED + 1]):
            left = _shared(run[:wrong][::-1], title[:place][::-1])
            right = _shared(run[wrong + 1 :], title[place + 1 :])
            length = left + 1 + right
            is_whole = length == len(title) and (place > 0 or length >= _LEAST_BEGINNING)
            is_beginning = right > 0 and length >= _LEAST_BEGINNING
            if left != place or not (is_whole or is_beginning) or character in _NO_NAME or length < longest:
                continue
            if length > longest:
                longest, found = length, set()
            found.add(
                Correction(wrong=run[wrong - left : wrong + 1 + right], right=title[: place + 1 + right])
            )
    return found.pop() if len(found) == 1 else None


def _shared(one: str, other: str) -> int:
    """How many characters two texts share from their beginning on, at most seven."""
    return next(
        (i for i, (a, b) in enumerate(zip(one[:_MOST_SHARED], other, strict=False)) if a != b),
        min(len(one), len(other), _MOST_SHARED),
    )
