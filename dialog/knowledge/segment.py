"""Search terms of a text in Chinese, English and mixtures: what the lexical leg indexes and asks.

Chinese is written without spaces, so a run of Han (or kana) gives its
characters and its overlapping pairs; every other word is kept whole, stemmed
lightly, and split at the seams inside it, so that `iPhone15`, `iPhone 15` and
full-width `ｉＰｈｏｎｅ１５` meet. The same function serves documents and
queries; its version is part of an index's identity.

    terms("iPhone15 保修")       # ["iphone15", "iphon", "15", "保", "修", "保修"]
    query_terms("请问怎么退货")   # ["退货"]
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from dialog.knowledge.stopwords import CHINESE_FILLER, CHINESE_STOP_CHARACTERS, ENGLISH_STOP_WORDS
from dialog.stemmer import stem
from dialog.text import normalise

SEGMENTER_VERSION = "1"

_RUN = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_TOKEN = re.compile(rf"[{_RUN}]+|[^\W_{_RUN}]+(?:[.,\-_/'’+][^\W_{_RUN}]+)*")
_PART = re.compile(r"[^\W\d_]+|\d+")
_IS_RUN = re.compile(f"[{_RUN}]")
_MAX_TERM_CHARS = 64
"""Longer tokens are keys, base64 or bait; their parts are kept, cut to this length."""


def terms(text: str) -> list[str]:
    """Every term of a document text, in order, repeated as often as it occurs."""
    found: list[str] = []
    for token in _TOKEN.findall(normalise(text)):
        found += _run_terms(token) if _IS_RUN.match(token) else _word_terms(token)
    return found


def query_terms(text: str) -> list[str]:
    """Distinct informative terms of a query; all of its terms where none is informative.

    Single Han characters count only where they stand alone: inside a run the
    pairs say more.
    """
    informative: list[str] = []
    for token in _TOKEN.findall(normalise(text)):
        if _IS_RUN.match(token):
            for run in _content_runs(token):
                informative += [run] if len(run) == 1 else _pairs(run)
        elif token not in ENGLISH_STOP_WORDS:
            informative += _word_terms(token)
    return list(dict.fromkeys(informative or terms(text)))


def _run_terms(run: str) -> list[str]:
    return [*run, *_pairs(run)]


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]


def _content_runs(run: str) -> list[str]:
    """The run without filler (请问, 怎么) and cut at characters that carry no content (的, 吗)."""
    cut = CHINESE_FILLER.sub(" ", run)
    return "".join(" " if c in CHINESE_STOP_CHARACTERS else c for c in cut).split()


@lru_cache(maxsize=65536)
def _word_terms(word: str) -> tuple[str, ...]:
    """The word, and its parts where letters, digits or marks meet inside it."""
    plain = _without_accents(word)
    if plain.isalpha():
        return (stem(plain)[:_MAX_TERM_CHARS],)
    parts = [stem(part)[:_MAX_TERM_CHARS] for part in _PART.findall(_clitics_off(plain))]
    whole = re.sub(r"[\W_]+", "", plain)
    if len(parts) > 1 and len(whole) <= _MAX_TERM_CHARS:
        return (whole, *parts)
    return tuple(parts)


def _clitics_off(word: str) -> str:
    return re.sub(r"['’](?:s|t|re|ve|ll|d|m)$", "", word)


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c)) or word
