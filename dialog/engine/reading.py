"""Logits of one reply after another token, read one at a time or, where that is exact, with a guess ahead.

    reading = Reading(forward, prefix=prefix, turns=turns)
    logits_1V = reading.prompt(prompt_ids)
    logits_1V = reading.after(token, most_ahead=100)

A guess is read together with the token before it and its logits are kept
back. If the sampler then chooses the guessed token they are given out,
otherwise forgotten: the reply never depends on guesses, greedy or sampled,
because `Forward.exact_tokens` ids give bit for bit the logits of one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from dialog.engine.cache import Prefix
from dialog.engine.forward import Forward
from dialog.engine.lookup import PromptLookup
from dialog.engine.turns import Turns

_PIECE = 512
"""Ids of a prompt read at a time: about a third of a second on two cores."""


class Reading:
    """The model's side of one reply. `turns` is taken for one forward pass at a time."""

    def __init__(self, forward: Forward[Any], *, prefix: Prefix, turns: Turns) -> None:
        self._forward = forward
        self._prefix = prefix
        self._turns = turns
        self._lookup: PromptLookup | None = None
        self._length = 0
        """Ids of prompt and reply; the cache may hold guesses beyond them."""
        self._guess: list[int] = []
        self._rows_TV: Tensor | None = None
        self._num_right = 0

    def prompt(
        self, ids: Sequence[int], *, is_cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[Tensor | None, int]:
        """Logits (1, V) after the prompt, and how many of its ids had been read before.

        A long prompt is read in pieces: between them others have their turn, and it
        is looked whether the reply is still wanted; the logits are None if it is not.
        """
        cached = self._prefix.keep(ids)
        logits_1V: Tensor | None = None
        for start in range(cached, len(ids), _PIECE):
            if is_cancelled():
                return None, cached
            logits_1V = self._read(ids[start : start + _PIECE])
        self._length = len(ids)
        if self._forward.exact_tokens > 1:
            self._lookup = PromptLookup(ids)
        return logits_1V, cached

    def after(self, token: int, *, most_ahead: int) -> Tensor:
        """Logits (1, V) after `token`, the reply's newest.

        Args:
            most_ahead: how many further tokens could be of use.
        """
        self._length += 1
        if self._lookup is None:
            return self._read([token])
        self._lookup.add(token)
        if self._rows_TV is not None:
            if self._num_right < len(self._guess) and token == self._guess[self._num_right]:
                self._num_right += 1
                return self._rows_TV[self._num_right : self._num_right + 1]
            self._settle()
        return self._read_ahead(token, min(most_ahead, self._forward.exact_tokens - 1))

    def _read_ahead(self, token: int, most: int) -> Tensor:
        assert self._lookup is not None
        guess = self._lookup.guess(most)
        if not guess:
            return self._read([token])
        self._guess, self._num_right = guess, 0
        ids = [token, *guess]
        with self._turns, self._prefix.extending(ids) as cache:
            self._rows_TV = self._forward.all_logits(ids, cache)
        return self._rows_TV[:1]

    def _settle(self) -> None:
        """Forget what was guessed wrong; the newest token is not read yet."""
        assert self._lookup is not None
        self._lookup.learn(num_right=self._num_right)
        self._rows_TV = None
        self._prefix.crop(self._length - 1)

    def _read(self, ids: Sequence[int]) -> Tensor:
        with self._turns, self._prefix.extending(ids) as cache:
            return self._forward.next_logits(ids, cache)
