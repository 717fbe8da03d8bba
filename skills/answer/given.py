"""Documents that come with a question, searched without an index.

given = GivenDocuments(["Returns are free within 30 days."], embedder)
given.search("Are returns free?", top_k=3).passages
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from dialog.citations import best_relevance
from dialog.protocols import Embedder
from dialog.text import detect_language
from dialog.values import Message, Passage, SearchResult

_MIN_CONFIDENCE = 0.5
_MIDDLE, _WIDTH = 0.855, 0.01
"""Logistic curve over the cosine of a question with a paragraph; of the default embedder."""


class GivenDocuments:
    """A `protocols.Retriever` over a few texts; a paragraph is a passage."""

    def __init__(self, documents: Sequence[str], embedder: Embedder) -> None:
        self._embedder = embedder
        self._passages = [
            passage for number, text in enumerate(documents, start=1) for passage in _paragraphs(text, number)
        ]
        texts = [one.text for one in self._passages]
        self._vectors: list[Any] = [*embedder.embed_passages(texts)] if texts else []

    @property
    def fingerprint(self) -> str:
        content = "\0".join([self._embedder.fingerprint, *(one.text for one in self._passages)])
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def search(
        self,
        query: str,
        *,
        top_k: int,
        history: Sequence[Message] = (),
        where: dict[str, Any] | None = None,
    ) -> SearchResult:
        """By shared words and by meaning, whichever says more; `where` is not looked at.

        A question that leans on what was said before is searched for with the message before it.
        """
        before = next((one.content for one in reversed(history) if one.role == "user"), "")
        asked = [query, f"{before} {query}"] if before else [query]
        vectors = self._embedder.embed_queries(asked)
        scored = []
        for at, one in enumerate(self._passages):
            scores = [self._score(at, *pair) for pair in zip(asked, vectors, strict=True)]
            scored.append(one.model_copy(update={"score": max(scores)}))
        best = sorted(scored, key=lambda one: -one.score)[:top_k]
        confidence = best[0].score if best else 0.0
        abstain = confidence < _MIN_CONFIDENCE
        return SearchResult(query=query, abstain=abstain, confidence=confidence, passages=tuple(best))

    def _score(self, at: int, query: str, vector: Any) -> float:
        cosine = float(self._vectors[at] @ vector)
        near = 1 / (1 + math.exp(-(cosine - _MIDDLE) / _WIDTH))
        return (max(near, best_relevance(query, [self._passages[at]])) + near) / 2


def _paragraphs(text: str, number: int) -> list[Passage]:
    found = []
    at = 0
    for paragraph in text.split("\n\n"):
        bare = paragraph.strip()
        if bare:
            start = at + paragraph.index(bare)
            found.append(
                Passage(
                    id=f"document-{number}-{start}",
                    text=bare,
                    source=f"document {number}",
                    title=f"document {number}",
                    score=0.0,
                    char_start=start,
                    char_end=start + len(bare),
                    language=detect_language(bare),
                )
            )
        at += len(paragraph) + 2
    return found
