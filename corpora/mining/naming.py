"""Names for groups of texts: the terms that tell each from the others, in Chinese and English.

A term counts once a text; its weight in a group is its share there times the
rarity over all groups. Neighbouring pairs of Han characters that nearly always
come together become one word again (收货, 货地, 地址: 收货地址), and an English
stem is shown as it is written most often.

    telling_terms([["where is my card"], ["退货的运费谁出"]])

Source: Grootendorst, BERTopic: Neural topic modeling with a class-based TF-IDF
procedure (2022), 3.3; here a text counts once a term, and pairs are joined.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from dialog.knowledge.segment import query_terms
from dialog.text import is_han, normalise, words

NUM_TERMS = 6
_NAME_TERMS = 2
_TOGETHER = 0.8
_LEAST_SHARE = 0.1
"""A term of fewer of a group's texts, or of one alone, is somebody's matter and names nothing."""
_MAX_RUN = 8
_PLACEHOLDER = re.compile(r"\[[A-Z_]+_\d+\]|https?://\S+|@\w+")


def telling_terms(groups: Sequence[Sequence[str]], *, num_terms: int = NUM_TERMS) -> list[tuple[str, ...]]:
    """For each group its most telling terms, best first; empty for one without words."""
    counts: list[Counter[str]] = []
    surfaces: dict[str, Counter[str]] = {}
    for texts in groups:
        counter: Counter[str] = Counter()
        for text in texts:
            counter.update(_terms(text, surfaces))
        counts.append(counter)
    total: Counter[str] = Counter()
    for counter in counts:
        total.update(counter)
    mean = sum(total.values()) / max(1, len(groups))
    return [
        _shown(
            counter,
            [normalise(text) for text in texts],
            {
                term: _weight(term, counter, total, mean)
                for term, num in counter.items()
                if num >= min(len(texts), max(2, _LEAST_SHARE * len(texts)))
            },
            surfaces,
        )[:num_terms]
        for counter, texts in zip(counts, groups, strict=True)
    ]


def names_of(terms: Sequence[Sequence[str]]) -> list[str]:
    """A name a group, all different: its two best terms, more where two groups share them, then a number."""
    names: list[str] = []
    for own in terms:
        usable = [re.sub(r"[^\w]+", "-", term).strip("-") for term in own]
        usable = [term for term in usable if term] or ["other"]
        longest = range(min(_NAME_TERMS, len(usable)), len(usable) + 1)
        candidates = ["-".join(usable[:num]) for num in longest]
        name = next((name for name in candidates if name not in names), "")
        number = 2
        while not name or name in names:
            name, number = f"{candidates[0]}-{number}", number + 1
        names.append(name)
    return names


def _terms(text: str, surfaces: dict[str, Counter[str]]) -> set[str]:
    plain = _PLACEHOLDER.sub(" ", text)
    informative = {term for term in query_terms(plain) if not term.isdigit()}
    for word in words(plain):
        if is_han(word):
            continue
        for term in query_terms(word):
            if term in informative:
                surfaces.setdefault(term, Counter())[word] += 1
    return informative


def _weight(term: str, counter: Counter[str], total: Counter[str], mean: float) -> float:
    return counter[term] / sum(counter.values()) * math.log(1 + mean / total[term])


def _shown(
    counter: Counter[str], texts: Sequence[str], weights: dict[str, float], surfaces: dict[str, Counter[str]]
) -> tuple[str, ...]:
    ordered = sorted(weights, key=lambda term: (-weights[term], term))
    shown: list[str] = []
    for term in ordered[: 4 * NUM_TERMS]:
        if len(term) == 2 and is_han(term[0]):
            word = _grown(term, counter, texts)
        else:
            word = surfaces[term].most_common(1)[0][0] if term in surfaces else term
        if (
            not any(word in known or known in word for known in shown if is_han(word[:1]))
            and word not in shown
        ):
            shown.append(word)
    return tuple(shown)


def _grown(pair: str, counter: Counter[str], texts: Iterable[str]) -> str:
    """The longest run around a pair that stands in most of the texts the pair stands in."""
    run, holding = pair, [text for text in texts if pair in text]
    while len(run) < _MAX_RUN:
        longer = Counter(
            text[at : at + len(run) + 1]
            for text in holding
            for start in (text.find(run),)
            for at in (start - 1, start)
            if start >= 0 and at >= 0 and at + len(run) + 1 <= len(text)
        )
        grown = next(
            (
                candidate
                for candidate, num in longer.most_common(3)
                if num >= _TOGETHER * len(holding)
                and num > 1
                and (candidate[:2] in counter and candidate[-2:] in counter)
            ),
            None,
        )
        if grown is None:
            break
        run = grown
    return run
