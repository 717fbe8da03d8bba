"""A knowledge base of a few given passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dialog.values import Message, Passage, SearchResult


class FixedRetriever:
    """A `protocols.Retriever` that finds the same passages for every query.

    Args:
        passages: best first.
        confidence: at 0 it abstains.
        rewritten: what every query is said to mean in its context.
    """

    fingerprint = "fixed"

    def __init__(
        self, passages: Sequence[Passage] = (), *, confidence: float = 0.9, rewritten: str | None = None
    ) -> None:
        self.queries: list[str] = []
        self.histories: list[tuple[Message, ...]] = []
        self._passages = tuple(passages)
        self._confidence = confidence
        self._rewritten = rewritten

    def search(
        self,
        query: str,
        *,
        top_k: int,
        history: Sequence[Message] = (),
        where: dict[str, Any] | None = None,
    ) -> SearchResult:
        self.queries.append(query)
        self.histories.append(tuple(history))
        found = self._passages[:top_k] if self._confidence > 0 else ()
        return SearchResult(
            query=query,
            rewritten=self._rewritten,
            abstain=not found,
            confidence=self._confidence,
            passages=found,
        )


def passage(text: str, *, title: str = "Policy", source: str = "policy.md", id: str = "p1") -> Passage:
    """A passage that is the whole of its document."""
    return Passage(id=id, text=text, source=source, title=title, score=0.9, char_start=0, char_end=len(text))
