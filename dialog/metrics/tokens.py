"""Words as metrics count them: NFKC, case folded, each Han character alone, everything else whole.

metric_tokens("iPhone 15 保修")      # ["iphone", "15", "保", "修"]
answer_tokens("The fee is $3.50.")   # ["fee", "is", "350"]
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable

from dialog.text import normalise

SIGNATURE = "nfkc|case:folded|tok:han-char+word"
ANSWER_SIGNATURE = "nfkc|case:folded|punct:removed|articles:removed|tok:han-char+word"
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_ANSWER_TOKEN = re.compile(rf"[{_HAN}]|[^\s{_HAN}]+")
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def metric_tokens(text: str) -> list[str]:
    """Runs of letters and digits, and Han characters; on English what rouge_score's tokenizer gives."""
    return _TOKEN.findall(normalise(text))


def answer_tokens(text: str) -> list[str]:
    """Tokens after SQuAD's normalisation: punctuation deleted, then English articles.

    Source: Rajpurkar et al. 2016, "SQuAD", and its evaluation script; ours
    also folds by NFKC, deletes all Unicode punctuation and divides Chinese.
    """
    kept = "".join(char for char in normalise(text) if not _is_punctuation(char))
    return _ANSWER_TOKEN.findall(_ARTICLE.sub(" ", kept))


def ngrams(tokens: list[str], order: int) -> Iterable[tuple[str, ...]]:
    """All runs of `order` tokens, in order."""
    return zip(*(tokens[start:] for start in range(order)), strict=False)


def _is_punctuation(char: str) -> bool:
    return char in _PUNCTUATION or (not char.isascii() and unicodedata.category(char)[0] == "P")
