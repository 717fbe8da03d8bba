"""The lexical leg: BM25 over pre-segmented terms, in SQLite FTS5.

A query is an OR of our own quoted terms, so nothing a user types is FTS5
syntax, and a long Chinese question without punctuation is many pairs instead
of one token.

    ranked = lexical_search(catalog, "iPhone 15 保修多久", limit=50)
"""

from __future__ import annotations

from collections.abc import Sequence

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.segment import query_terms, terms

_WEIGHTS = (3.0, 1.0)
"""Of a term in the headings and in the body."""
_MAX_TERMS = 64
"""A pasted page is cut to its rarest terms; more cost time and add noise. Numbers and codes stay."""
_MAX_KEPT = 256
_NEGATIONS = frozenset(
    terms(
        "not no nor never none neither cannot without don't doesn't didn't won't wouldn't isn't aren't wasn't"
    )
)
"""Stop words everywhere else; what is not covered is said with them."""


def lexical_search(
    catalog: Catalog, query: str, *, limit: int, among: Sequence[int] | None = None
) -> list[tuple[int, float]]:
    """(chunk number, score), best first; empty where no term of the query occurs."""
    wanted = lexical_terms(query)
    if len(wanted) > _MAX_TERMS:
        wanted = _rarest(catalog, wanted)
    if not wanted:
        return []
    expression = " OR ".join(f'"{term}"' for term in wanted)
    return catalog.match(expression, limit=limit, weights=_WEIGHTS, among=among)


def lexical_terms(query: str) -> list[str]:
    """The informative terms and the negations of a query."""
    negations = (term for term in terms(query) if term in _NEGATIONS)
    return list(dict.fromkeys([*query_terms(query), *negations]))


def _rarest(catalog: Catalog, wanted: list[str]) -> list[str]:
    batches = [wanted[i : i + 500] for i in range(0, min(len(wanted), 20_000), 500)]
    frequencies: dict[str, int] = {}
    for batch in batches:
        frequencies |= catalog.document_frequencies(batch)
    kept = [
        term for term in frequencies if term in _NEGATIONS or any(character.isdigit() for character in term)
    ][:_MAX_KEPT]
    rarest = sorted(frequencies, key=lambda term: frequencies[term])[:_MAX_TERMS]
    return list(dict.fromkeys([*kept, *rarest]))
