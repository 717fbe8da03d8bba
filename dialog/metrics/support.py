"""Whether a reply's citations carry what it says, by the rules of `dialog.citations`.

A citation supports its span of the reply if the quote holds the span's content
words, figures and polarity. Sentences that claim nothing ("Sure!") count nowhere.
"""

from __future__ import annotations

from dialog.citations import check_sentence
from dialog.metrics.judged import Given, JudgedTurn
from dialog.metrics.ratio import Part, Ratio
from dialog.text import sentences
from dialog.values import Citation, Passage

THRESHOLD = 0.6
"""The score from which a sentence counts as supported, in [0, 1]."""
_SIGNATURE = f"rules:citations|threshold:{THRESHOLD}"


def citation_support() -> Ratio:
    """Share of citations whose quote supports the span it is given for."""
    return Ratio("citation_support", "share", True, f"{_SIGNATURE}|per:citation", _citations)


def groundedness() -> Ratio:
    """Share of claiming sentences that some quote supports; a missing reply is one unsupported claim."""
    return Ratio("groundedness", "share", True, f"{_SIGNATURE}|per:sentence", _claims)


def citation_hit() -> Ratio:
    """Share of turns with known sources that cite one of them."""
    return Ratio("citation_hit", "share", True, "match:source-or-passage-id|per:turn", _hit)


def _citations(turn: JudgedTurn) -> Part | None:
    given = turn.given
    if given.text is None or not given.citations:
        return None
    supported = [
        _carries(given.text[citation.reply_start : citation.reply_end], [citation], turn)
        for citation in given.citations
    ]
    return sum(supported), len(supported)


def _claims(turn: JudgedTurn) -> Part | None:
    given = turn.given
    if given.text is None:
        return None if turn.wanted.text is None else (0, 1)
    claims = [
        (start, end)
        for start, end in sentences(given.text)
        if check_sentence(given.text[start:end], passages=[], said=_said(turn)).score < 1
    ]
    grounded = [
        not _is_marked(given, start, end) and _carries(given.text[start:end], given.citations, turn)
        for start, end in claims
    ]
    return sum(grounded), len(grounded)


def _hit(turn: JudgedTurn) -> Part | None:
    wanted = turn.wanted.sources
    if not wanted:
        return None
    cited = {name for citation in turn.given.citations for name in (citation.source, citation.passage_id)}
    return float(not cited.isdisjoint(wanted)), 1


def _carries(text: str, citations: tuple[Citation, ...] | list[Citation], turn: JudgedTurn) -> bool:
    quotes = [
        Passage(
            id=citation.passage_id,
            text=citation.quote,
            source=citation.source,
            title=citation.title,
            score=1.0,
            char_start=0,
            char_end=len(citation.quote),
        )
        for citation in citations
    ]
    return check_sentence(text, passages=quotes, said=_said(turn)).supported(THRESHOLD)


def _is_marked(given: Given, start: int, end: int) -> bool:
    return any(left < end and start < right for left, right in given.unsupported)


def _said(turn: JudgedTurn) -> str:
    return next((message.content for message in reversed(turn.messages) if message.role == "user"), "")
