"""From ids to text while they come: whole characters only, stop strings found across tokens.

detokenizer = Detokenizer(tokenizer.decode)
for id in ids: print(detokenizer.feed(id), end="")
print(detokenizer.flush())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_REPLACEMENT = "\ufffd"
_MOST_UNDECIDED = 3  # an unfinished UTF-8 character has at most three bytes, each shown as one U+FFFD


class Detokenizer:
    """Text of a growing sequence of ids, each piece as soon as it can no longer change.

    The pieces joined are `decode(ids)`. A token may hold only a part of a
    character (a Han character is up to three byte-level tokens, an emoji
    four): a trailing U+FFFD waits until the next token says whether it was
    the beginning of a character or a broken byte.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._context: list[int] = []
        self._num_context_chars = 0
        self._pending: list[int] = []
        self._num_shown = 0

    def feed(self, id: int) -> str:
        """The text that became certain with this id; often one word, sometimes empty."""
        self._pending.append(id)
        text = self._pending_text()
        certain = len(text)
        while certain > len(text) - _MOST_UNDECIDED and text.endswith(_REPLACEMENT, 0, certain):
            certain -= 1
        shown = text[self._num_shown : certain]
        if certain == len(text):
            self._settle()
        else:
            self._num_shown = max(self._num_shown, certain)
        return shown

    def flush(self) -> str:
        """What is left at the end: an unfinished character shows as U+FFFD."""
        text = self._pending_text()[self._num_shown :]
        self._settle()
        return text

    def _pending_text(self) -> str:
        # Decoded behind the ids before: some decoders drop a leading space at the start of a text.
        return self._decode(self._context + self._pending)[self._num_context_chars :]

    def _settle(self) -> None:
        self._context, self._pending = self._pending, []
        self._num_context_chars = len(self._decode(self._context))
        self._num_shown = 0


@dataclass(frozen=True)
class Passed:
    """What may be shown now, and whether a stop string was met right behind it."""

    text: str
    stopped: bool


class StopStrings:
    """Holds back text that may be the beginning of a stop string, until the next piece decides.

    The stop string itself is never shown; where two could begin, the one that begins first stops.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        if "" in stops:
            raise ValueError("a stop string must not be empty")
        self._stops = tuple(stops)
        self._held = ""

    def feed(self, text: str) -> Passed:
        held = self._held + text
        starts = [held.find(stop) for stop in self._stops if stop in held]
        if starts:
            self._held = ""
            return Passed(held[: min(starts)], stopped=True)
        keep = self._undecided(held)
        self._held = held[len(held) - keep :]
        return Passed(held[: len(held) - keep], stopped=False)

    def flush(self) -> str:
        """The text held back, when no more will come."""
        held, self._held = self._held, ""
        return held

    def _undecided(self, text: str) -> int:
        """Length of the longest end of `text` with which some stop string begins."""
        longest = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:length]):
                    longest = length
                    break
        return longest
