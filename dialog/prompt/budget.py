"""Fitting: which turns and passages a prompt can hold, counted on the rendered prompt itself.

Instructions and the newest user message always stay. Passages come next, the
best first; turns fill what is left, the newest first, always whole. Turns are
read lazily: no further back than the prompt reaches, plus a bounded look at
what was left out, so a history of ten thousand turns costs what a few hundred do.

    fitted = fit(template, frame, turns=newest_first, room=3800)
    fitted.frame, fitted.left_out, fitted.dropped_passages
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from dialog.prompt.frame import Frame, spoken_turn
from dialog.prompt.parts import Laid, Spoken
from dialog.prompt.template import Template
from dialog.values import Passage, Turn

LISTED_TURNS = 128
"""How many turns that are not shown are read at most, to name them or to summarise them."""

_SLACK_TOKENS = 16
"""A turn estimated to be this much too long is still tried in the rendered prompt."""


@dataclass(frozen=True)
class Fitted:
    """A frame that fits, and what it leaves out.

    `left_out` are turns not shown, oldest first, at least the newest
    LISTED_TURNS of them; `laid` is the frame rendered.
    """

    frame: Frame
    laid: Laid
    left_out: tuple[Turn, ...] = ()
    dropped_passages: tuple[Passage, ...] = ()
    dropped_memory: bool = False

    @property
    def is_complete(self) -> bool:
        return not (self.left_out or self.dropped_passages or self.dropped_memory)

    @property
    def num_unlisted(self) -> int:
        """Turns older than all that were read."""
        return self.left_out[0].index if len(self.left_out) >= LISTED_TURNS else 0


def fit(template: Template, frame: Frame, *, turns: Iterable[Turn], room: int) -> Fitted | None:
    """Leave out the oldest turns, then the worst passages, then the memory; None if that is not enough.

    Args:
        frame: everything but the turns.
        turns: newest first; those the frame's summary covers are never shown.
        room: tokens the rendered prompt may have.
    """
    base = _fit_base(template, frame, room=room)
    if base is None:
        return None
    reader = iter(turns)
    shown, left_out = _newest_that_fit(template, base, reader, room=room)
    while True:
        if left_out:
            _move_cut(shown, left_out)
        full = replace(base.frame, turns=tuple(reversed(shown)))
        laid = lay_out(template, full)
        if len(laid.ids) <= room:
            break
        left_out.insert(0, shown.pop())
    if left_out:
        left_out += islice(reader, max(0, LISTED_TURNS - len(left_out)))
    return replace(base, frame=full, laid=laid, left_out=tuple(reversed(left_out)))


def lay_out(template: Template, frame: Frame) -> Laid:
    """The rendered prompt, generation prompt included."""
    return template.lay_out(frame.spoken(), reply_follows=True)


def estimate(template: Template, messages: Iterable[Spoken], *, enough: int) -> int:
    """About how many tokens messages add to a prompt; cheap, and not exact beyond `enough`."""
    return sum(
        template.message_overhead + template.count(message.content, enough=enough) for message in messages
    )


def _fit_base(template: Template, frame: Frame, *, room: int) -> Fitted | None:
    """The frame without turns, with as many passages as fit.

    A memory that could not even stand alone goes at once: no passage need go for it.
    """
    if _exceeds(template, replace(frame, passages=(), memory=""), room=room):
        return None
    kept = list(frame.passages)
    costs = [template.count(passage.text, enough=room) for passage in kept]
    while kept and sum(costs[: len(kept)]) > room:
        kept.pop()
    memory = frame.memory if template.count(frame.memory, enough=room) <= room else ""
    while True:
        tried = replace(frame, turns=(), passages=tuple(kept), memory=memory)
        laid = lay_out(template, tried)
        if len(laid.ids) <= room:
            dropped = frame.passages[len(kept) :]
            return Fitted(tried, laid, dropped_passages=dropped, dropped_memory=memory != frame.memory)
        if kept:
            kept.pop()
        elif memory:
            memory = ""
        else:
            return None


def _exceeds(template: Template, frame: Frame, *, room: int) -> bool:
    """True if the frame is too long for sure, found out without encoding a huge text whole."""
    left = 2 * room + _SLACK_TOKENS
    for message in frame.spoken():
        left -= template.count(message.content, enough=left)
        if left < 0:
            return True
    return False


def _newest_that_fit(
    template: Template, base: Fitted, reader: Iterator[Turn], *, room: int
) -> tuple[list[Turn], list[Turn]]:
    """Turns that should fit and the first one that does not, newest first; estimated."""
    covered = frozenset(base.frame.summary.covers) if base.frame.summary is not None else frozenset()
    shown: list[Turn] = []
    left_out: list[Turn] = []
    left = room - len(base.laid.ids)
    for turn in reader:
        cost = max(1, estimate(template, spoken_turn(turn), enough=room))
        if turn.user_id in covered or cost > left + _SLACK_TOKENS:
            left_out.append(turn)
            break
        shown.append(turn)
        left -= cost
    return shown, left_out


def _move_cut(shown: list[Turn], left_out: list[Turn]) -> None:
    """Leave out up to a quarter of the turns more, so that the cut stays put for several turns.

    Were the oldest turn dropped each time, every prompt would differ from the
    one before it right after the instructions, and the model's cache of that
    prefix would be worth nothing. So the first turn shown is one whose index is
    a multiple of a step: the largest power of two within a quarter of the turns
    that fit.
    """
    step = 1 << max(0, (len(shown) // 4).bit_length() - 1)
    for _ in range(step - 1):
        if not shown or shown[-1].index % step == 0:
            return
        left_out.insert(0, shown.pop())
