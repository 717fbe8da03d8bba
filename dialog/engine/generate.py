"""One reply, token by token: choose, show, read, until something ends it.

    reply = Generation(prompt_ids, prefix=prefix, sampler=sampler, limits=limits, can_guess=True).run()
    item = next(reply)                  # a Wanted: ids to be read
    item = reply.send(logits_TV)        # the next Wanted, or a Step: `next(reply)` goes on

The reply reads nothing itself: `batch` reads for many of them together.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dialog.engine.cache import Prefix
from dialog.engine.detokenize import Detokenizer, StopStrings
from dialog.engine.reading import Reading, Wanted
from dialog.engine.sampling import Sampler
from dialog.protocols import Cancel
from dialog.values import Chunk, FinishReason


@dataclass(frozen=True)
class Limits:
    """What ends a reply from outside the text: its length, its last token, the user."""

    max_tokens: int
    end_ids: frozenset[int]
    cancel: Cancel | None = None

    def is_cancelled(self) -> bool:
        return self.cancel is not None and self.cancel.is_set()


@dataclass(frozen=True)
class Step:
    """A chosen token, None where the reply ended without one, and why it ended if it did."""

    id: int | None
    finish_reason: FinishReason | None = None


class Generation:
    """The loop over one prompt. `cached_tokens` is known once the first step is out.

    Args:
        can_guess: see `reading`.
    """

    def __init__(
        self, prompt_ids: Sequence[int], *, prefix: Prefix, sampler: Sampler, limits: Limits, can_guess: bool
    ) -> None:
        self._prompt_ids = prompt_ids
        self._reading = Reading(prefix, can_guess=can_guess)
        self._sampler = sampler
        self._limits = limits
        self.cached_tokens = 0

    def run(self) -> Generator[Wanted | Step, Tensor | None, None]:
        """What to read, to be answered with its logits, and steps until the one with a finish reason.

        An end token is not part of the reply: its id is None.
        """
        logits_BV, self.cached_tokens = yield from self._reading.prompt(self._prompt_ids)
        num_prompt = len(self._prompt_ids)
        ids_BT = torch.empty(
            1, num_prompt + self._limits.max_tokens, dtype=torch.long, device=logits_BV.device
        )
        ids_BT[0, :num_prompt] = torch.tensor(self._prompt_ids, dtype=torch.long)
        for length in range(num_prompt, ids_BT.shape[1]):
            token = self._sampler.choose(ids_BT[:, :length], logits_BV)
            if token in self._limits.end_ids:
                yield Step(None, "stop")
                return
            if length + 1 == ids_BT.shape[1]:
                yield Step(token, "length")
                return
            yield Step(token)
            ids_BT[0, length] = token
            logits_BV = yield from self._reading.after(token, most_ahead=ids_BT.shape[1] - length - 2)


def chunks(
    steps: Iterator[Step], *, detokenizer: Detokenizer, stops: StopStrings, hidden_ids: frozenset[int]
) -> Iterator[Chunk]:
    """Text of the steps: whole characters, nothing of a stop string, special tokens invisible.

    Ids whose text is still held back come with the chunk that shows it; the
    last chunk has the finish reason, and all ids together are the reply's.
    """
    ids: list[int] = []
    for step in steps:
        text = ""
        if step.id is not None:
            ids.append(step.id)
            text = "" if step.id in hidden_ids else detokenizer.feed(step.id)
        passed = stops.feed(text)
        finish_reason = step.finish_reason
        if finish_reason is not None and not passed.stopped:
            tail = stops.feed(detokenizer.flush())
            passed = type(passed)(passed.text + tail.text, tail.stopped)
        shown = passed.text
        if passed.stopped:
            finish_reason = "stop"
        elif finish_reason is not None:
            shown += stops.flush()
        if shown or finish_reason is not None:
            yield Chunk(text=shown, ids=tuple(ids), finish_reason=finish_reason)
            ids = []
        if finish_reason is not None:
            return
