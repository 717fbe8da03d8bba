"""Guessing a reply's next tokens: what followed the last time its newest ones occurred.

    lookup = PromptLookup(prompt_ids)
    lookup.add(token)
    guess = lookup.guess(3)         # up to three ids, often none
    lookup.learn(num_guessed=len(guess), num_right=2)

A reply that quotes a passage repeats long runs of the prompt. Guesses are
paid for: a reply begins with the price of one, earns a little with every token
and what right guesses save, and wrong ones use it up. So whatever the text,
guesses cost at most `_BEGIN + _EARNED * n` of its n tokens' time: 3 % or less
from 67 tokens on (of shorter replies one token's).

Source: prompt lookup decoding, as transformers' `prompt_lookup_num_tokens`;
the index and the account are ours.
"""

from __future__ import annotations

from collections.abc import Iterable

_PATTERN = 3
"""So many equal tokens before a guess: two recur by chance, four miss the beginning of quotations."""
_PRICE = 1 / 3
"""Of a guessed token, read along, against one read by itself; see `python -m benchmarks.lookup`."""
_BEGIN, _EARNED, _MOST = 1.0, 0.015, 3.0


class PromptLookup:
    """An index of every run of three ids, and the account that guesses are paid from, in tokens' time."""

    def __init__(self, ids: Iterable[int]) -> None:
        self._ids: list[int] = []
        self._next: dict[tuple[int, ...], int] = {}
        """Where the id behind the latest occurrence of a run stands."""
        self._account = _BEGIN
        for token in ids:
            self._note(token)

    def add(self, token: int) -> None:
        """The next id of the reply."""
        self._note(token)
        self._account = min(_MOST, self._account + _EARNED)

    def guess(self, most: int) -> list[int]:
        """Up to `most` ids that may come next; none where nothing recurs or none can be paid for."""
        place = self._next.get(tuple(self._ids[-_PATTERN:]))
        most = min(most, int(self._account / _PRICE + 1e-6))
        return [] if place is None else self._ids[place : place + max(0, most)]

    def learn(self, *, num_guessed: int, num_right: int) -> None:
        """How many tokens were read along, and how many of them were right."""
        self._account = min(_MOST, self._account + num_right - num_guessed * _PRICE)

    def _note(self, token: int) -> None:
        run = tuple(self._ids[-_PATTERN:])
        if len(run) == _PATTERN:
            self._next[run] = len(self._ids)
        self._ids.append(token)
