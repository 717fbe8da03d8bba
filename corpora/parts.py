"""Which part a conversation belongs to, decided by hashes: the same in every order and every run.

parts = Parts({"train": 0.8, "test": 0.2})
parts.by_hash("c-42", seed="0")     # "train", also when more conversations come
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from corpora.seen import digest_of

_RANGE = 2.0**64


class Parts:
    """Names and shares; the shares are brought to a sum of one.

    Raises:
        ValueError: fewer than two parts, or a share that is not positive.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        if len(shares) < 2 or not all(0 < share < float("inf") for share in shares.values()):
            raise ValueError(f"{dict(shares)}: name two parts or more, each with a positive share")
        total = sum(shares.values())
        self.names = tuple(shares)
        self.shares = tuple(share / total for share in shares.values())
        self._ends = [*accumulate(self.shares)][:-1]

    def by_hash(self, key: str, *, seed: str) -> str:
        """The part of a key; as more keys come, none changes its part. Shares hold on the average."""
        return self.names[bisect_right(self._ends, digest_of(key, seed=seed) / _RANGE)]

    def cuts(self, times: array[float]) -> list[float]:
        """The moments at which one part ends and the next begins, so that the shares hold."""
        ordered = sorted(times)
        return (
            [ordered[min(len(ordered) - 1, round(end * len(ordered)))] for end in self._ends]
            if ordered
            else []
        )

    def by_time(self, seconds: float, cuts: Sequence[float]) -> str:
        """The part of a moment: the oldest are in the first."""
        return self.names[bisect_right(cuts, seconds)]


class Strata:
    """Groups of like conversations, each divided as exactly as whole numbers allow.

    All are laid in a row by stratum and hash, and each goes to the part that is
    furthest behind its share; so also strata of one or two are spread fairly.
    """

    def __init__(self, parts: Parts, *, seed: str) -> None:
        self._parts = parts
        self._seed = seed
        self._numbers: dict[str, int] = {}
        self._digests = array("Q")
        self._strata = array("I")
        self._sorted = array("Q")
        self._found = bytearray()

    def add(self, key: str, stratum: str) -> None:
        """Count a conversation, or a customer once more: its alphabetically first stratum holds."""
        self._numbers.setdefault(stratum, len(self._numbers))
        self._digests.append(digest_of(key, seed=self._seed))
        self._strata.append(self._numbers[stratum])

    def settle(self) -> None:
        """Decide, once all are counted."""
        rank = {number: place for place, (_, number) in enumerate(sorted(self._numbers.items()))}
        first: dict[int, int] = {}
        for digest, number in zip(self._digests, self._strata, strict=True):
            first[digest] = min(rank[number], first.get(digest, len(rank)))
        counts = [0] * len(self._parts.names)
        decided: dict[int, int] = {}
        for place, digest in enumerate(sorted(first, key=lambda one: (first[one], one)), start=1):
            behind = [share * place - count for share, count in zip(self._parts.shares, counts, strict=True)]
            chosen = behind.index(max(behind))
            counts[chosen] += 1
            decided[digest] = chosen
        self._sorted = array("Q", sorted(decided))
        self._found = bytearray(decided[digest] for digest in self._sorted)
        self._digests, self._strata = array("Q"), array("I")

    def part(self, key: str) -> str:
        """The part of a conversation or customer that was counted."""
        digest = digest_of(key, seed=self._seed)
        return self._parts.names[self._found[bisect_left(self._sorted, digest)]]
