"""The inverted index against a dictionary of what every chunk says."""

import sqlite3
from collections import Counter
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, integers, lists, sampled_from, tuples

from dialog.knowledge import postings

WORDS = ["退货", "退", "货", "return", "goods", "iphone15", "15"]
TEXTS = lists(sampled_from(WORDS), max_size=60)
CHANGES = lists(
    tuples(lists(tuples(TEXTS, TEXTS), max_size=4), lists(integers(0, 30), max_size=4), booleans()),
    max_size=30,
)


@contextmanager
def index():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript("CREATE TABLE facets (number INTEGER PRIMARY KEY);" + postings.SCHEMA)
    try:
        yield connection
    finally:
        connection.close()


def change(connection, said, *, new=(), gone=(), is_at_rest=False):
    """One transaction: chunks `new` (number -> heading, body) come, chunks `gone` go."""
    segment = postings.Segment()
    for number in gone:
        heading, body = said.pop(number)
        segment.remove([*heading, *body])
        connection.execute("DELETE FROM facets WHERE number = ?", (number,))
    for number, (heading, body) in dict(new).items():
        said[number] = (heading, body)
        segment.add(number, heading=heading, body=body)
        connection.execute("INSERT INTO facets VALUES (?)", (number,))
    segment.write(connection)
    postings.merge(connection, is_at_rest=is_at_rest)


def found(connection, said, term):
    """Number -> (times in the body, times in the headings), of chunks that are there."""
    parts = postings.find(connection, WORDS)
    read = postings.decode([parts.get(word, []) for word in WORDS])
    start, end = [0, *read.ends.tolist()][WORDS.index(term) :][:2]
    numbers, in_body, in_heading = (column[start:end].tolist() for column in read[:3])
    assert numbers == sorted(set(numbers))
    times = zip(numbers, in_body, in_heading, strict=True)
    return {number: (body, heading) for number, body, heading in times if number in said}


def expected(said, term):
    counts = {number: (body.count(term), heading.count(term)) for number, (heading, body) in said.items()}
    return {number: times for number, times in counts.items() if any(times)}


@given(changes=CHANGES, most_segments=integers(1, 4), number_bits=sampled_from([5, 26]))
def test_postings_are_what_the_chunks_say_whatever_comes_and_goes(changes, most_segments, number_bits):
    with index() as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "_MOST_SEGMENTS", most_segments)
        patch.setattr(postings, "_NUMBER_BITS", number_bits)
        patch.setattr(postings, "_PART_BYTES", 12)
        said, last = {}, 0
        for texts, places, is_at_rest in changes:
            gone = {sorted(said)[place % len(said)] for place in places if said}
            new = {last + 1 + i: text for i, text in enumerate(texts)}
            last += len(texts)
            change(connection, said, new=new, gone=gone, is_at_rest=is_at_rest)
        assert {word: found(connection, said, word) for word in WORDS} == {
            word: expected(said, word) for word in WORDS
        }
        counts = Counter(word for heading, body in said.values() for word in {*heading, *body})
        assert postings.frequencies(connection, WORDS) == counts
        assert postings.vocabulary(connection, "退") == sorted(w for w in counts if w[0] == "退")


def test_a_run_at_rest_leaves_few_segments_and_nothing_of_what_has_gone():
    with index() as connection:
        said = {}
        for number in range(1, 101):
            change(connection, said, new={number: ([], ["保修", f"word{number}"])}, is_at_rest=True)
        assert len(connection.execute("SELECT * FROM segments").fetchall()) <= 4
        change(connection, said, gone=range(1, 100), is_at_rest=True)
        rows = connection.execute("SELECT term, num_chunks FROM postings ORDER BY term").fetchall()
        assert rows == [("word100", 1), ("保修", 1)]


def test_a_large_segment_is_left_alone_when_a_little_is_added():
    with index() as connection:
        said = {}
        change(connection, said, new={n: ([], ["return"]) for n in range(1, 200)}, is_at_rest=True)
        (before,) = connection.execute("SELECT number FROM segments").fetchall()
        change(connection, said, new={200: ([], ["return"])}, is_at_rest=True)
        assert before in connection.execute("SELECT number FROM segments").fetchall()
        assert len(found(connection, said, "return")) == 200
