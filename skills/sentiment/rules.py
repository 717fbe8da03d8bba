"""Sentiment by a lexicon: what is praised and blamed, what is denied, and what a "but" takes back.

    RuleJudge()(["The room is not clean, but the staff were great."])

Within a clause a word of praise or blame counts with its weight and that of the degree
before it; a negation shortly before it turns it round, and weakens it: "not bad" is less than
"good". A clause after a word of contrast counts more, the one before it less. The
score goes through an ordered logistic function; its slope is of least cross-entropy on 2,400 Chinese training
reviews and news, its width leaves what says nothing neutral. English has the same, unmeasured.

No substitute for a trained encoder: it knows its words and nothing of irony, of comparisons or
of what goes without saying. `docs/skills/sentiment.md` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from dialog.text import detect_language
from skills.sentiment.clauses import clauses
from skills.sentiment.judging import Sentiment
from skills.sentiment.lexicon import Found, Lexicon, load_lexicon

_REACH_CHARS = {"zh": 5, "en": 24}
"""So far before a word a negation or degree reaches: two or three words."""
_DENIED_PRAISE, _DENIED_BLAME = -0.9, -0.5
_AFTER_CONTRAST, _BEFORE_CONTRAST = 1.4, 0.7
_CONCEDING = frozenset({"although", "though", "despite", "除了", "except"})
"""These take back their own clause, not the one before."""
SLOPE, NEUTRAL_WIDTH = 1.2, 0.6


class RuleJudge:
    """A `Judge` that needs nothing."""

    def __call__(self, texts: Sequence[str]) -> list[Mapping[Sentiment, float]]:
        return [probabilities(score(text)) for text in texts]


def score(text: str) -> float:
    """Praise less blame, damped by the square root of how many clauses say something."""
    lexicon = load_lexicon(language := detect_language(text))
    spans = clauses(text, lexicon)
    weights = _contrast_weights([text[start:end] for start, end in spans], lexicon)
    found = [
        weight
        * clause_score(text[start:end], lexicon, reach_chars=_REACH_CHARS["zh" if language == "zh" else "en"])
        for (start, end), weight in zip(spans, weights, strict=True)
    ]
    num_telling = sum(one != 0 for one in found)
    return sum(found) / math.sqrt(max(1, num_telling))


def probabilities(score: float) -> Mapping[Sentiment, float]:
    """Of each sentiment, together 1; the ordered logistic model."""
    positive = _logistic(SLOPE * (score - NEUTRAL_WIDTH))
    negative = _logistic(SLOPE * (-score - NEUTRAL_WIDTH))
    return {"positive": positive, "negative": negative, "neutral": 1 - positive - negative}


def clause_score(clause: str, lexicon: Lexicon, *, reach_chars: int) -> float:
    """Praise less blame of one clause."""
    return sum(_contributions(lexicon.find(clause), reach_chars))


def _contributions(words: Sequence[Found], reach_chars: int) -> Iterator[float]:
    since = 0
    for at, word in enumerate(words):
        if word.kind not in ("praise", "blame"):
            continue
        before = [one for one in words[since:at] if word.start - one.end <= reach_chars]
        degree = math.prod(one.weight for one in before if one.kind == "degree")
        sign = 1.0 if word.kind == "praise" else -1.0
        if sum(one.kind == "negation" for one in before) % 2:
            sign *= _DENIED_PRAISE if word.kind == "praise" else _DENIED_BLAME
        yield sign * word.weight * min(2.0, degree)
        since = at + 1


def _contrast_weights(pieces: Sequence[str], lexicon: Lexicon) -> list[float]:
    weights = [1.0] * len(pieces)
    for at, piece in enumerate(pieces):
        first = next((one for one in lexicon.find(piece) if one.kind == "contrast"), None)
        if first is None:
            continue
        if piece[first.start : first.end].lower() in _CONCEDING:
            weights[at] *= _BEFORE_CONTRAST
        else:
            weights[at] *= _AFTER_CONTRAST
            if at:
                weights[at - 1] *= _BEFORE_CONTRAST
    return weights


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, x))))
