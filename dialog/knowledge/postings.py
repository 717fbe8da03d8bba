"""Which term stands in which chunk, and how often: the inverted index, in two tables of the catalog.

The chunks of one transaction are one segment. A term's postings in it are one
blob (cut to what fits a quarter of a page), so that a search fetches a term at
once. Small segments are merged into larger ones as they gather. Chunk numbers
only grow and never come again, so a segment is never changed: chunks that are
gone are passed over by who reads it and dropped when it is merged.

    segment = Segment()
    segment.add(7, heading=["保修"], body=["手机", "保修"])
    segment.write(connection)
    merge(connection)
    decode([find(connection, ["保修"])["保修"]])    # numbers [7], in_body [1], in_heading [1], ends [1]
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np

SCHEMA = """
CREATE TABLE segments (
    number INTEGER PRIMARY KEY, first INTEGER NOT NULL, num_chunks INTEGER NOT NULL
);
CREATE TABLE postings (
    segment INTEGER NOT NULL, term TEXT NOT NULL, part INTEGER NOT NULL,
    num_chunks INTEGER NOT NULL, -- that hold it, less those of any segment that went when this was written
    records BLOB NOT NULL,
    PRIMARY KEY (segment, term, part)
) WITHOUT ROWID;
"""

_RECORD = np.dtype("<u4")
"""A chunk's number, counted from the segment's first, in the lower 26 bits; how often the term stands in its
body in four bits, in its headings in two. What is more is said in further records of the same chunk."""
_NUMBER_BITS, _BODY_BITS = 26, 4
_MOST_IN_BODY, _MOST_IN_HEADING = 15, 3
_PART_BYTES = 960
"""SQLite puts what is much longer on pages of its own, of which half the last is empty."""

_MOST_SEGMENTS = 32
"""While writing: a search asks each of them."""
_RATIO_WRITING, _RATIO_AT_REST = 1, 4
"""How much larger than all that were written after it a segment is that stays as it is."""
_MOST_DEAD = 1.25
"""Chunks in all segments beside chunks there are, from which everything is merged."""
_BLOCK_TERMS = 8192


Parts = Sequence[tuple[int, bytes]]
"""(Number that the records are counted from, records), of one term in order."""


class Occurrences(NamedTuple):
    """Chunk numbers, and how often a term stands in each one's body and headings.

    Those of several terms one after the other; `ends` says where each term's end.
    A term's numbers ascend, each once.
    """

    numbers: np.ndarray
    in_body: np.ndarray
    in_heading: np.ndarray
    ends: np.ndarray


class Segment:
    """The postings of one transaction, before they are written."""

    def __init__(self) -> None:
        self._records: defaultdict[str, list[int]] = defaultdict(list)
        self._num_chunks_of: Counter[str] = Counter()
        self._numbers: list[int] = []

    def add(self, number: int, *, heading: Sequence[str], body: Sequence[str]) -> None:
        """Numbers must ascend."""
        self._numbers.append(number)
        offset = number - self._numbers[0]
        in_body, in_heading = Counter(body), Counter(heading)
        terms = in_body.keys() | in_heading.keys()
        for term in terms:
            for times in _packed(in_body[term], in_heading[term]):
                self._records[term].append(times << _NUMBER_BITS | offset)
        self._num_chunks_of.update(terms)

    def remove(self, terms: Iterable[str]) -> None:
        """A chunk with these terms has gone from an earlier segment."""
        self._num_chunks_of.subtract(set(terms))

    def write(self, connection: sqlite3.Connection) -> None:
        rows = (
            (term, count, np.array(self._records.get(term, ()), dtype=_RECORD).tobytes())
            for term, count in sorted(self._num_chunks_of.items())
        )
        if self._num_chunks_of:
            _write(connection, rows, first=self._first(connection), num_chunks=len(self._numbers))

    def _first(self, connection: sqlite3.Connection) -> int:
        """Of what is only gone, the segment before says it."""
        if self._numbers:
            return self._numbers[0]
        before = connection.execute("SELECT max(first) FROM segments").fetchone()
        return int(before[0] or 0)


def find(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, list[tuple[int, bytes]]]:
    """(first number, records) of the segments each term occurs in; also of chunks that are gone."""
    marks = ",".join("?" * len(terms))
    sql = f"""SELECT term, first, records FROM segments CROSS JOIN postings ON segment = number
        WHERE term IN ({marks}) ORDER BY number, term, part"""
    found: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for term, first, records in connection.execute(sql, tuple(terms)):
        found[term].append((first, records))
    return found


def frequencies(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """In how many chunks each term stands; absent terms are left out."""
    marks = ",".join("?" * len(terms))
    sql = f"""SELECT term, sum(num_chunks) FROM postings
        WHERE segment IN (SELECT number FROM segments) AND term IN ({marks}) GROUP BY term"""
    return {term: count for term, count in connection.execute(sql, tuple(terms)) if count}


def vocabulary(connection: sqlite3.Connection, first: str) -> list[str]:
    """Every term that begins with this character, in order."""
    sql = """SELECT term FROM postings
        WHERE segment IN (SELECT number FROM segments) AND term >= ? AND term < ?
        GROUP BY term HAVING sum(num_chunks) > 0 ORDER BY term"""
    return [row[0] for row in connection.execute(sql, (first, chr(ord(first) + 1)))]


def decode(found: Sequence[Parts]) -> Occurrences:
    """What `find` tells, of each of some terms."""
    records, firsts = _read([part for parts in found for part in parts])
    numbers = firsts + (records & (1 << _NUMBER_BITS) - 1)
    times = records >> _NUMBER_BITS
    in_body, in_heading = times & _MOST_IN_BODY, times >> _BODY_BITS
    ends = np.cumsum([sum(len(part) for _, part in parts) // _RECORD.itemsize for parts in found], dtype=int)
    is_first = np.diff(numbers, prepend=-1) != 0
    is_first[ends[:-1][ends[:-1] < len(numbers)]] = True
    if not is_first.all():
        starts = np.flatnonzero(is_first)
        in_body, in_heading = np.add.reduceat(in_body, starts), np.add.reduceat(in_heading, starts)
        numbers, ends = numbers[starts], np.searchsorted(starts, ends)
    return Occurrences(numbers, in_body, in_heading, ends)


def merge(connection: sqlite3.Connection, *, is_at_rest: bool = False) -> None:
    """Merge the latest segments where too many or too small ones have gathered; part of a transaction."""
    rows = connection.execute("SELECT number, first, num_chunks FROM segments ORDER BY number").fetchall()
    sizes = [size for _, _, size in rows]
    if not is_at_rest and len(sizes) <= _MOST_SEGMENTS:
        return
    place = _first_to_merge(sizes, ratio=_RATIO_AT_REST if is_at_rest else _RATIO_WRITING)
    num_chunks, newest = connection.execute("SELECT count(*), max(number) FROM facets").fetchone()
    is_worn = is_at_rest and sum(sizes) > _MOST_DEAD * num_chunks
    place = 0 if is_worn else place
    while newest and place < len(rows) and rows[place][1] + (1 << _NUMBER_BITS) <= newest:
        place += 1  # its numbers are too far from the newest for one segment
    if len(rows) - place >= (1 if is_worn else 2):
        _merge(connection, [number for number, _, _ in rows[place:]], is_all=place == 0)


def _first_to_merge(sizes: Sequence[int], *, ratio: int) -> int:
    """Where the latest segments begin that are not more than `ratio` times as large as all after them."""
    place, total = max(0, len(sizes) - 1), sum(sizes[-1:])
    while place > 0 and sizes[place - 1] <= ratio * total:
        place -= 1
        total += sizes[place]
    return place


def _merge(connection: sqlite3.Connection, segments: Sequence[int], *, is_all: bool) -> None:
    span = (segments[0], segments[-1])
    numbers = connection.execute("SELECT number FROM facets ORDER BY number").fetchall()
    live = np.array(numbers, dtype=np.int64).reshape(-1)
    least, num_chunks = connection.execute(
        "SELECT min(first), sum(num_chunks) FROM segments WHERE number BETWEEN ? AND ?", span
    ).fetchone()
    live = live[live >= least]
    first = int(live[0]) if len(live) else least
    rows = connection.execute(
        """SELECT term, first, postings.num_chunks, records FROM postings JOIN segments ON segment = number
        WHERE segment BETWEEN ? AND ? ORDER BY term, segment, part""",
        span,
    )
    # Where all are merged, no chunk is left for a removal to be counted against.
    kept = (row for row in _merged(rows, live, first) if row[2] or (row[1] and not is_all))
    _write(connection, kept, first=first, num_chunks=min(num_chunks, len(live)))
    connection.execute("DELETE FROM postings WHERE segment BETWEEN ? AND ?", span)
    connection.execute("DELETE FROM segments WHERE number BETWEEN ? AND ?", span)


def _merged(
    rows: Iterable[tuple[str, int, int, bytes]], live: np.ndarray, first: int
) -> Iterator[tuple[str, int, bytes]]:
    """A row a term, without the postings of chunks that are gone, numbers counted from `first`."""
    by_term = ((term, list(group)) for term, group in groupby(rows, key=lambda row: row[0]))
    while block := list(islice(by_term, _BLOCK_TERMS)):
        records, firsts = _read([(own, part) for _, group in block for _, own, _, part in group])
        is_live = np.isin(firsts + (records & (1 << _NUMBER_BITS) - 1), live)
        kept = (records + (firsts - first))[is_live].astype(_RECORD).tobytes()
        ends = np.cumsum([sum(len(part[3]) for part in group) // _RECORD.itemsize for _, group in block])
        kept_ends = np.concatenate(([0], np.cumsum(is_live)))[ends] * _RECORD.itemsize
        start = 0
        for (term, group), end in zip(block, kept_ends.tolist(), strict=True):
            yield term, sum(part[2] for part in group), kept[start:end]
            start = end


def _read(parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """All records, and the number that each one's is counted from."""
    records = np.frombuffer(b"".join(part for _, part in parts), dtype=_RECORD)
    firsts = np.array([first for first, _ in parts], dtype=np.int64)
    lengths = np.array([len(part) // _RECORD.itemsize for _, part in parts], dtype=np.int64)
    return records, np.repeat(firsts, lengths)


def _write(
    connection: sqlite3.Connection, rows: Iterable[tuple[str, int, bytes]], *, first: int, num_chunks: int
) -> None:
    sql = "INSERT INTO segments VALUES (NULL, ?, ?)"
    number = connection.execute(sql, (first, num_chunks)).lastrowid
    parts = (
        (term, part, 0 if part else count, records[part * _PART_BYTES : (part + 1) * _PART_BYTES])
        for term, count, records in rows
        for part in range(max(1, -(-len(records) // _PART_BYTES)))
    )
    connection.executemany(f"INSERT INTO postings VALUES ({number}, ?, ?, ?, ?)", parts)


def _packed(in_body: int, in_heading: int) -> Iterator[int]:
    while in_body > 0 or in_heading > 0:
        body, heading = min(in_body, _MOST_IN_BODY), min(in_heading, _MOST_IN_HEADING)
        yield heading << _BODY_BITS | body
        in_body, in_heading = in_body - body, in_heading - heading
