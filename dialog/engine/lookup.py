"""Guessing a reply's next tokens: what followed the last time its newest ones occurred.

    lookup = PromptLookup(prompt_ids)
    lookup.add(token)
    lookup.guess(3)         # up to three ids, often none
    lookup.learn(num_right=2)

A reply that quotes a passage repeats long runs of the prompt. Where the
guesses turn out wrong they are made ever more rarely, so that a reply which
quotes nothing loses next to no time. Source: prompt lookup decoding, as
transformers' `prompt_lookup_num_tokens`; the index and the pauses are ours.
"""

from __future__ import annotations

from collections.abc import Iterable

_PATTERN = 3
"""So many equal tokens before a guess: two recur by chance, four miss the beginning of quotations."""
_LONGEST_PAUSE = 64


class PromptLookup:
    """An index of every run of three ids, and a memory of how the last guesses went."""

    def __init__(self, ids: Iterable[int]) -> None:
        self._ids: list[int] = []
        self._next: dict[tuple[int, ...], int] = {}
        """Where the id behind the latest occurrence of a run stands."""
        self._pause = 0
        self._wait = 0
        for token in ids:
            self.add(token)

    def add(self, token: int) -> None:
        """The next id of prompt or reply."""
        run = tuple(self._ids[-_PATTERN:])
        if len(run) == _PATTERN:
            self._next[run] = len(self._ids)
        self._ids.append(token)

    def guess(self, most: int) -> list[int]:
        """Up to `most` ids that may come next; none where nothing recurs or guesses have failed of late."""
        place = self._next.get(tuple(self._ids[-_PATTERN:]))
        if place is None or most <= 0:
            return []
        if self._wait > 0:
            self._wait -= 1
            return []
        return self._ids[place : place + most]

    def learn(self, *, num_right: int) -> None:
        """How many of the last guess were right: none means waiting twice as long, any means not at all."""
        self._pause = 0 if num_right else min(_LONGEST_PAUSE, 2 * self._pause + 1)
        self._wait = self._pause
