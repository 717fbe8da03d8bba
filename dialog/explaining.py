"""Which instruction, turn or passage a reply rests on: each is left out once, and the loss measured.

The share of a part is how much less likely the model finds its own reply
without it, in nats, among all parts that matter. This asks the model itself
and nothing about its insides, so it holds for every engine that can `score`;
it costs one reading of the prompt a part. Attention would be cheaper and
answers another question (where the model looked, not what it needed).

Source: DeYoung et al., "ERASER" (2020), section 4.2, comprehensiveness of one
segment at a time, on log-probabilities instead of probabilities; parts without
which the reply becomes likelier count as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dialog.conversation import Conversation
from dialog.draft import Parts
from dialog.entries import UserSaid
from dialog.shown import render_turn
from dialog.values import Attribution, Passage, Prompt, Reply, Sampling, Segment, SegmentKind

Kind = Literal["instruction", "turn", "passage", "memory"]
_KINDS: dict[SegmentKind, Kind] = {
    "instruction": "instruction",
    "user": "turn",
    "passage": "passage",
    "memory": "memory",
}


@dataclass(frozen=True)
class Cause:
    """A part of a prompt that can be left out: its ref and kind; a turn by its message's id."""

    ref: str
    kind: Kind


def explain_reply(
    parts: Parts,
    conversation: Conversation,
    *,
    said: UserSaid,
    passages: Sequence[Passage],
    reply: Reply,
    sampling: Sampling,
) -> tuple[Attribution, ...]:
    """Shares of the parts a reply rests on, largest first; they add up to 1.

    Args:
        conversation: its head is `said`.
        passages: those the reply was given.

    Returns:
        For a quotation, its passages; for a fixed phrase or an empty reply, nothing.
    """
    if reply.mode == "quoted":
        cited = dict.fromkeys(citation.passage_id for citation in reply.citations)
        return tuple(Attribution(segment=ref, kind="passage", share=1 / len(cited)) for ref in cited)
    if reply.mode != "generated" or not reply.text:
        return ()

    def shown(without: frozenset[str] = frozenset()) -> Prompt:
        rendered = render_turn(
            parts, conversation, said=said, passages=passages, sampling=sampling, without=without
        )
        return rendered.prompt

    def likelihood(prompt: Prompt) -> float:
        (scores,) = parts.model.score(prompt, [reply.text])
        return scores.total

    whole = shown()
    certain = likelihood(whole)
    losses = {
        cause: max(0.0, certain - likelihood(shown(frozenset({cause.ref}))))
        for cause in causes(whole.segments, newest=said.id)
    }
    total = sum(losses.values())
    if total == 0:
        return ()
    shares = [
        Attribution(segment=cause.ref, kind=cause.kind, share=loss / total) for cause, loss in losses.items()
    ]
    return tuple(sorted(shares, key=lambda one: -one.share))


def causes(segments: Sequence[Segment], *, newest: str) -> tuple[Cause, ...]:
    """The parts of a prompt that can be left out, in order, each once; the newest message cannot."""
    found = (
        Cause(ref=segment.ref, kind=_KINDS[segment.kind])
        for segment in segments
        if segment.kind in _KINDS and segment.ref != newest
    )
    return tuple(dict.fromkeys(found))
