"""Which ids have come before, in a few bytes each however long the ids are.

An open-addressing table of 64-bit digests and line numbers: 17 to 34 bytes an
id, where a dictionary of strings takes some 200. Two different ids among ten
million are taken for the same with a chance of 3 in a million.

    seen = Seen()
    seen.add("c-1", 1)      # None: it is new
    seen.add("c-1", 9)      # 1: the line where it came first
"""

from __future__ import annotations

from array import array
from hashlib import blake2b

_FULL = 0.7
_LAST_LINE = 2**32 - 1


class Seen:
    """Ids and the line where each came first."""

    def __init__(self) -> None:
        self._reset(1024)

    def __len__(self) -> int:
        return self._num

    def add(self, id: str, line: int) -> int | None:
        """Remember an id; the line where it came before, None if it is new."""
        digest = digest_of(id) or 1
        slot = self._slot(digest)
        if self._digests[slot]:
            return self._lines[slot]
        if self._num >= _FULL * len(self._digests):
            self._grow()
            slot = self._slot(digest)
        self._digests[slot] = digest
        self._lines[slot] = min(line, _LAST_LINE)
        self._num += 1
        return None

    def _slot(self, digest: int) -> int:
        """Where the digest is, or the free place where it belongs."""
        digests, mask = self._digests, len(self._digests) - 1
        slot = digest & mask
        while digests[slot] and digests[slot] != digest:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        digests, lines = self._digests, self._lines
        self._reset(2 * len(digests))
        for digest, line in zip(digests, lines, strict=True):
            if digest:
                slot = self._slot(digest)
                self._digests[slot], self._lines[slot] = digest, line
                self._num += 1

    def _reset(self, num_slots: int) -> None:
        self._digests = array("Q", bytes(8 * num_slots))
        self._lines = array("I", bytes(4 * num_slots))
        self._num = 0


def digest_of(text: str, *, seed: str = "") -> int:
    """64 bits that depend on the text and the seed alone: the same on every machine and in every run."""
    content = f"{seed}\0{text}" if seed else text
    return int.from_bytes(blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).digest())
