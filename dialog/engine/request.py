"""A reply that was asked for: what it takes to make it, and its steps on their way to who asked.

request = Request(ids, key="c-42", sampler=sampler, limits=limits, take=take, give_back=pool_put)
for step in request.steps():        # in the thread that asked
    ...
request.deliver(Step(17))           # in the thread that makes it
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from queue import SimpleQueue
from time import perf_counter

from dialog.engine.cache import Prefix
from dialog.engine.generate import Limits, Step
from dialog.engine.sampling import Sampler


class Request:
    """One reply. `prefill_s` and `cached_tokens` are known once the first step is out.

    Args:
        key: whose request it is; among those who wait each key has its turn.
        take: gives the prefix to go on from; nobody else may have it meanwhile.
        give_back: is handed the prefix, unless the reply failed.
    """

    def __init__(
        self,
        prompt_ids: Sequence[int],
        *,
        key: str | None,
        sampler: Sampler,
        limits: Limits,
        take: Callable[[], Prefix],
        give_back: Callable[[Prefix], None],
    ) -> None:
        self.prompt_ids = prompt_ids
        self.key = key
        self.sampler = sampler
        self.limits = limits
        self.take = take
        self.give_back = give_back
        self.prefill_s = 0.0
        self.cached_tokens = 0
        self._asked_at = perf_counter()
        self._is_left = False
        self._steps: SimpleQueue[Step | Exception] = SimpleQueue()

    def begun(self, *, cached_tokens: int) -> None:
        """The prompt is read; waiting for others is part of `prefill_s`."""
        self.prefill_s = perf_counter() - self._asked_at
        self.cached_tokens = cached_tokens

    def deliver(self, item: Step | Exception) -> None:
        """The next step, or what went wrong."""
        self._steps.put(item)

    def is_unwanted(self) -> bool:
        """True once nobody waits for it any more; looked at before every step."""
        try:
            return self._is_left or self.limits.is_cancelled()
        except Exception as error:  # the flag is somebody else's object
            self.deliver(error)
            self._is_left = True
            return True

    def steps(self) -> Generator[Step, None, None]:
        """Steps until the one with a finish reason; raises what went wrong."""
        try:
            while True:
                item = self._steps.get()
                if isinstance(item, Exception):
                    raise item
                yield item
                if item.finish_reason is not None:
                    return
        finally:
            self.leave()

    def leave(self) -> None:
        """Nobody reads on. Waits for nothing and locks nothing: a destructor may call it, in any thread."""
        self._is_left = True
