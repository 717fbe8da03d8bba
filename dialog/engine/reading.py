"""Logits of one reply after another token, read one at a time or, where that is exact, with a guess ahead.

    reading = Reading(prefix, can_guess=forward.exact_tokens > 1)
    logits_1V, cached = yield from reading.prompt(prompt_ids)
    logits_1V = yield from reading.after(token, most_ahead=100)

A guess is read together with the token before it and its logits are kept
back. If the sampler then chooses the guessed token they are given out,
otherwise forgotten: the reply never depends on guesses, greedy or sampled,
because `Forward.exact_tokens` ids give bit for bit the logits of one by one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from torch import Tensor

from dialog.engine.cache import Prefix
from dialog.engine.lookup import PromptLookup

_PIECE = 512
"""Ids of a prompt read at a time: about a third of a second on two cores."""
_MOST_GUESSED = 3


@dataclass(frozen=True)
class Wanted:
    """Ids for the model to read: a piece of the prompt, or the newest token and guesses behind it.

    Of the prompt all must be read; the answer is the last one's logits (1, V).
    Of guesses as many as there is room for; the answer is the logits (T, V) of all that were read.
    """

    ids: Sequence[int]
    is_prompt: bool = False


class Reading:
    """The model's side of one reply: generators that say what they want read and are sent its logits."""

    def __init__(self, prefix: Prefix, *, can_guess: bool) -> None:
        self._prefix = prefix
        self._can_guess = can_guess
        self._lookup: PromptLookup | None = None
        self._length = 0
        """Ids of prompt and reply; the cache may hold guesses beyond them."""
        self._guess: Sequence[int] = []
        self._rows_TV: Tensor | None = None
        self._num_right = 0

    def prompt(self, ids: Sequence[int]) -> Generator[Wanted, Tensor | None, tuple[Tensor, int]]:
        """Logits (1, V) after the prompt, and how many of its ids had been read before.

        A long prompt is read in pieces. They begin where what was read before ends, whatever else
        the model is doing: other pieces would be rounded otherwise.
        """
        cached = self._prefix.keep(ids)
        for start in range(cached, len(ids), _PIECE):
            logits_1V = yield from _read(Wanted(ids[start : start + _PIECE], is_prompt=True))
        self._length = len(ids)
        if self._can_guess:
            self._lookup = PromptLookup(ids)
        return logits_1V, cached

    def after(self, token: int, *, most_ahead: int) -> Generator[Wanted, Tensor | None, Tensor]:
        """Logits (1, V) after `token`, the reply's newest.

        Args:
            most_ahead: how many further tokens could be of use.
        """
        self._length += 1
        if self._lookup is None:
            return (yield from _read(Wanted([token])))
        self._lookup.add(token)
        if self._rows_TV is not None:
            if self._num_right < len(self._guess) and token == self._guess[self._num_right]:
                self._num_right += 1
                return self._rows_TV[self._num_right : self._num_right + 1]
            self._settle()
        guess = self._lookup.guess(min(most_ahead, _MOST_GUESSED))
        rows_TV = yield from _read(Wanted([token, *guess]))
        if len(rows_TV) > 1:
            self._guess, self._rows_TV, self._num_right = guess[: len(rows_TV) - 1], rows_TV, 0
        return rows_TV[:1]

    def _settle(self) -> None:
        """Forget what was guessed wrong; the newest token is not read yet."""
        assert self._lookup is not None
        self._lookup.learn(num_guessed=len(self._guess), num_right=self._num_right)
        self._rows_TV = None
        self._prefix.crop(self._length - 1)


def _read(wanted: Wanted) -> Generator[Wanted, Tensor | None, Tensor]:
    logits_TV = yield wanted
    assert logits_TV is not None
    return logits_TV
