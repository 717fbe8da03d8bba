"""A reply as its events come in: text to show, what was counted, why it ended.

incoming = Incoming(sampling, num_prompt=512)
chunk = incoming.take(delta)            # None where there is nothing to show
chunk = incoming.end()                  # the last one
"""

from __future__ import annotations

from time import perf_counter

from dialog.engine.detokenize import StopStrings
from dialog.engine.remote.failures import Refused
from dialog.engine.remote.wire import Delta, Usage
from dialog.guard.control import clean
from dialog.values import Chunk, FinishReason, Sampling

_SLACK_EVENTS = 16
_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "length": "length",
    "tool_calls": "stop",  # none were offered: whatever it meant, it is done
    "abort": "interrupted",
}


class Incoming:
    """Text is only ever text: nothing in it is obeyed, and what no record can hold is replaced."""

    def __init__(self, sampling: Sampling, *, num_prompt: int) -> None:
        self.num_prompt = num_prompt
        self.usage: Usage | None = None
        self._stops = StopStrings(sampling.stop)
        self._most = sampling.max_tokens + _SLACK_EVENTS
        self._num_events = 0
        self._reason: FinishReason | None = None
        self._is_cut = False
        """Ended by ourselves: at a stop string the server let pass, or because it did not stop."""
        self._started = perf_counter()
        self._prefill_s: float | None = None
        self._has_shown_prefill = False

    @property
    def has_ended(self) -> bool:
        return self._reason is not None

    @property
    def is_complete(self) -> bool:
        """Nothing more need be read."""
        return self._is_cut or (self.has_ended and self.usage is not None)

    def take(self, delta: Delta) -> Chunk | None:
        """The text an event adds, as far as it can be shown yet.

        Raises:
            Refused: the server withholds the rest.
        """
        self.usage = delta.usage or self.usage
        if not delta.choices:
            return None
        choice = delta.choices[0]
        text = ""
        if not choice.delta.is_empty and not self.has_ended:
            self._prefill_s = self._prefill_s or perf_counter() - self._started
            self._num_events += 1
            text = self._passed(clean(choice.delta.content or "").text)
        if choice.finish_reason and not self.has_ended:
            self._reason = _reason(choice.finish_reason)
        if self._num_events > self._most and not self.has_ended:
            self._reason, self._is_cut = "length", True
        return self._chunk(text) if text else None

    def end(self, reason: FinishReason | None = None) -> Chunk:
        """The last chunk: what was held back, the reason and the counts."""
        held = "" if self._is_cut or reason == "interrupted" else self._stops.flush()
        usage = self.usage
        counts = {
            "finish_reason": reason or self._reason or "stop",
            "cached_tokens": usage.cached_tokens if usage else None,
            "reply_tokens": usage.completion_tokens if usage else self._num_events,
        }
        return self._chunk(held).model_copy(update=counts)

    def _passed(self, text: str) -> str:
        passed = self._stops.feed(text)
        if passed.stopped:
            self._reason, self._is_cut = "stop", True
        return passed.text

    def _chunk(self, text: str) -> Chunk:
        """The seconds of reading the prompt go with the first chunk."""
        prefill_s = None if self._has_shown_prefill else self._prefill_s
        self._has_shown_prefill = True
        return Chunk(text=text, prefill_s=prefill_s)


def _reason(told: str) -> FinishReason:
    if told == "content_filter":
        raise Refused(status=0, said="content_filter: its filter withheld the reply")
    return _REASONS.get(told, "stop")
