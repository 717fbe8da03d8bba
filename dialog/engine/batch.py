"""Replies that are being made, advanced together one step at a time. Knows no threads.

    batch = Batch(forward, turns=Turns())
    batch.add(request)
    while batch.num_running:
        batch.drop_unwanted()
        batch.step()            # what comes of it goes to `request.deliver`

A step gives every reply that is past its prompt its next token, in one pass
of the model where it can do that, and then reads on in the prompts: a whole
piece if nobody waits for a token, otherwise so many layers of it that the
others do not stall.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any

from torch import Tensor

from dialog.engine.cache import Prefix
from dialog.engine.forward import Forward, TogetherForward
from dialog.engine.generate import Generation, Step
from dialog.engine.reading import Wanted
from dialog.engine.request import Request
from dialog.engine.turns import Turns

_PROMPT_TOKENS = {"cpu": 64}
"""Of prompts, how much is read between two tokens of others; on two cores this takes 70 ms."""
_PROMPT_TOKENS_ELSEWHERE = 512


class Slot:
    """A reply in the making."""

    def __init__(self, request: Request, prefix: Prefix, *, can_guess: bool) -> None:
        self.request = request
        self.prefix = prefix
        self.wanted = Wanted([])
        self.reading: Generator[None, None, Tensor] | None = None
        """A pass over a piece of the prompt that was begun."""
        self._generation = Generation(
            request.prompt_ids,
            prefix=prefix,
            sampler=request.sampler,
            limits=request.limits,
            can_guess=can_guess,
        )
        self._run = self._generation.run()
        self._has_begun = False

    def advance(self, logits_TV: Tensor | None) -> Step | None:
        """Deliver what follows from the logits, up to what is `wanted` next; the last step is returned."""
        item = self._run.send(logits_TV)
        while isinstance(item, Step):
            if not self._has_begun:
                self._has_begun = True
                self.request.begun(cached_tokens=self._generation.cached_tokens)
            if item.finish_reason is not None:
                return item
            self.request.deliver(item)
            item = next(self._run)
        self.wanted = item
        return None


class Batch:
    """Replies in slots. Used by one thread; `num_running` may be looked at by all.

    Args:
        turns: taken for every pass, so that others may use the model between them.
    """

    def __init__(self, forward: Forward[Any], *, turns: Turns) -> None:
        self._forward = forward
        self._together = forward if isinstance(forward, TogetherForward) else None
        self._turns = turns
        self._slots: list[Slot] = []

    @property
    def num_running(self) -> int:
        return len(self._slots)

    def add(self, request: Request) -> None:
        """Give it a slot; whatever goes wrong goes to its reader."""
        try:
            slot = Slot(request, request.take(), can_guess=self._forward.exact_tokens > 1)
        except Exception as error:
            request.deliver(error)
            return
        self._slots.append(slot)
        self._advance(slot, None)

    def step(self) -> None:
        """One token for each reply that has read its prompt, then some of the prompts."""
        decoding = [slot for slot in self._slots if not slot.wanted.is_prompt]
        if decoding:
            self._decode(decoding)
        self._read_prompts(budget=self._budget() if decoding else math.inf)

    def interrupt(self) -> None:
        """Empty all slots; the replies end where they are."""
        for slot in list(self._slots):
            self._end(slot, Step(None, "interrupted"))

    def fail(self, error: Exception) -> None:
        """Empty all slots; the readers are told."""
        for slot in list(self._slots):
            self._fail(slot, error)

    def drop_unwanted(self) -> None:
        """Free the slots of replies that nobody waits for any more."""
        for slot in list(self._slots):
            if slot.request.is_unwanted():
                self._end(slot, Step(None, "interrupted"))

    def _decode(self, slots: Sequence[Slot]) -> None:
        pieces = self._with_guesses(slots)
        if self._together is not None and len(slots) > 1:
            try:
                with self._turns:
                    logits_RV = self._together.logits_together(
                        [(ids, slot.prefix.cache) for slot, ids in zip(slots, pieces, strict=True)]
                    )
            except Exception:  # one of them, or all together are too much: each alone will tell
                pass
            else:
                begin = 0
                for slot, ids in zip(slots, pieces, strict=True):
                    slot.prefix.ids.extend(ids)
                    self._advance(slot, logits_RV[begin : begin + len(ids)])
                    begin += len(ids)
                return
        for slot, ids in zip(slots, pieces, strict=True):
            self._read_alone(slot, ids)

    def _with_guesses(self, slots: Sequence[Slot]) -> list[Sequence[int]]:
        """The ids each reads. Packed kernels work on `exact_tokens` rows at a time: guesses fill them up."""
        room = -len(slots) % self._forward.exact_tokens
        pieces: list[Sequence[int]] = []
        for slot in slots:
            ids = slot.wanted.ids[: 1 + room]
            room -= len(ids) - 1
            pieces.append(ids)
        return pieces

    def _read_prompts(self, *, budget: float) -> None:
        while budget > 0:
            slot = next((slot for slot in self._slots if slot.wanted.is_prompt), None)
            if slot is None:
                return
            budget -= self._read_prompt(slot, budget=budget)
            if budget == math.inf:  # it may have its first token by now and want the next
                return

    def _read_prompt(self, slot: Slot, *, budget: float) -> float:
        """Read on in a piece of the prompt for about `budget` tokens' worth; returns what was spent."""
        ids = slot.wanted.ids
        if self._together is None:
            self._read_alone(slot, ids)
            self._to_the_end(slot)
            return len(ids)
        if slot.reading is None:
            slot.reading = self._together.reading(ids, slot.prefix.cache)
        spent = 0.0
        try:
            with self._turns:
                while spent < budget:
                    next(slot.reading)
                    spent += len(ids) / self._together.num_layers
        except StopIteration as done:
            slot.reading = None
            slot.prefix.ids.extend(ids)
            self._advance(slot, done.value)
            self._to_the_end(slot)
        except Exception as error:
            self._fail(slot, error)
        return spent

    def _read_alone(self, slot: Slot, ids: Sequence[int]) -> None:
        read = self._forward.next_logits if slot.wanted.is_prompt else self._forward.all_logits
        try:
            with self._turns, slot.prefix.extending(ids) as cache:
                logits_TV = read(ids, cache)
        except Exception as error:
            self._fail(slot, error)
        else:
            self._advance(slot, logits_TV)

    def _advance(self, slot: Slot, logits_TV: Tensor | None) -> None:
        try:
            end = slot.advance(logits_TV)
        except Exception as error:
            self._fail(slot, error)
        else:
            if end is not None:
                self._end(slot, end)

    def _to_the_end(self, slot: Slot) -> None:
        """After a piece of its prompt the next prompt has its turn."""
        if slot in self._slots:
            self._slots.remove(slot)
            self._slots.append(slot)

    def _end(self, slot: Slot, step: Step) -> None:
        """Free the slot. Before the reader knows, so that its next request finds the prefix."""
        self._slots.remove(slot)
        try:
            slot.request.give_back(slot.prefix)
        except Exception as error:
            slot.request.deliver(error)
        else:
            slot.request.deliver(step)

    def _fail(self, slot: Slot, error: Exception) -> None:
        self._slots.remove(slot)
        slot.request.deliver(error)

    def _budget(self) -> int:
        return _PROMPT_TOKENS.get(self._forward.device.type, _PROMPT_TOKENS_ELSEWHERE)
