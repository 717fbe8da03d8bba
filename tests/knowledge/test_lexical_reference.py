"""The lexical leg against BM25 written out, over corpora that come, change and go."""

import math
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import dictionaries, integers, lists, sampled_from, tuples

from dialog.knowledge import postings
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.lexical import Lexicon, lexical_terms
from dialog.knowledge.records import Loaded, TextChunk
from dialog.knowledge.rows import NewChunk
from dialog.knowledge.segment import terms
from dialog.knowledge.views import Columns, Scope
from dialog.values import Document

TODAY = date(2026, 3, 1)
PHRASES = ["退货", "换货运费", "保修一年", "return", "goods", "iPhone 15", "not refunded", "手机return"]
TEXTS = lists(sampled_from(PHRASES), min_size=1, max_size=40).map(" ".join)
ROUNDS = lists(
    tuples(
        dictionaries(integers(0, 12), tuples(TEXTS, TEXTS, sampled_from(["", "acme", "bolt"])), max_size=6),
        lists(integers(0, 12), max_size=3),
    ),
    min_size=1,
    max_size=6,
)


def entry(number, heading, text, tenant):
    key = f"d{number}"
    document = Document(source=key, title="", text=text, content_hash="", metadata={})
    chunk = TextChunk(
        id=key, text=text, start=0, end=len(text), path=(heading,), language="zh", source=key,
        metadata={"tenant": tenant} if tenant else {},
    )  # fmt: skip
    return Loaded(key=key, origin=key, document=document, blocks=()), [NewChunk(chunk, "", b"")]


def bm25(chunks, query):
    """Chunk number -> score, of those that hold a term; `chunks` are what is seen."""
    said = {row.number: (terms(row.heading), terms(row.text)) for row in chunks}
    mean = sum(len(heading) + len(body) for heading, body in said.values()) / max(1, len(said))
    scores = {}
    for term in lexical_terms(query):
        counts = {n: 3 * heading.count(term) + body.count(term) for n, (heading, body) in said.items()}
        holding = sum(count > 0 for count in counts.values())
        idf = max(1e-6, math.log((len(said) - holding + 0.5) / (holding + 0.5)))
        for number, count in counts.items():
            length = sum(map(len, said[number]))
            score = idf * 2.2 * count / (count + 1.2 * (0.25 + 0.75 * length / mean))
            if count:
                scores[number] = scores.get(number, 0.0) + score
    return scores


@settings(deadline=None, max_examples=40)
@given(rounds=ROUNDS, query=TEXTS, tenant=sampled_from([None, "acme", "unknown"]), limit=integers(1, 8))
def test_the_best_are_those_of_bm25_over_what_is_seen(rounds, query, tenant, limit):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "_MOST_SEGMENTS", 2)
        with closing(Catalog(Path(folder) / "knowledge.db", read_only=False)) as catalog:
            owners = {}
            for changed, gone in rounds:
                catalog.replace(
                    [entry(number, *said) for number, said in changed.items()],
                    removed=[f"d{number}" for number in gone if number not in changed],
                )
                owners |= {f"d{number}": owner for number, (_, _, owner) in changed.items()}
            columns = Columns.load(catalog)
            view = columns.view(catalog, Scope(today=TODAY, tenant=tenant))
            lexicon = Lexicon(catalog, columns)
            found = lexicon.search(query, limit=limit, view=view)
            rows = catalog.chunks(catalog.numbers_where({}))
            held = {row.number: lexicon.held(terms(query), row.number) for row in rows}
    expected = bm25([row for row in rows if owners[row.document] in ("", tenant)], query)
    scores = [score for _, score in found]
    assert scores == pytest.approx(sorted(expected.values(), reverse=True)[:limit], rel=1e-4)
    assert scores == pytest.approx([expected[number] for number, _ in found], rel=1e-4)
    assert held == {row.number: {*terms(row.heading), *terms(row.text)} & {*terms(query)} for row in rows}
