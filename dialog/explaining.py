"""Which instruction, turn or passage a reply rests on.

Where an instruction decoder gave the reply, it says so itself, exactly
(`tuned.Decoding`, `docs/decoder.md`). Else each part is left out once,
and the loss measured.

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
from dialog.protocols import LanguageModel
from dialog.shown import render_turn
from dialog.tuned import Decoding
from dialog.values import Attribution, Passage, Prompt, Reply, Sampling, Segment, SegmentKind

Kind = Literal["instruction", "turn", "passage", "memory"]
_KINDS: dict[SegmentKind, Kind] = {
    "instruction": "instruction",
    "user": "turn",
    "passage": "passage",
    "memory": "memory",
}


_DECODED_KINDS: dict[SegmentKind, Kind] = {**_KINDS, "agent": "turn", "tool": "memory"}


@dataclass(frozen=True)
class Cause:
    """A part of a prompt that can be left out: its ref and kind; a turn by its message's id."""

    ref: str
    kind: Kind


def decoded_shares(
    model: LanguageModel, prompt: Prompt, text: str, *, cache_key: str | None
) -> tuple[Attribution, ...] | None:
    """Shares of all parts of the prompt by the model's own account, largest first; None if it has none.

    A turn's question and its answer are parts of their own; tool results count as memory.
    """
    if not isinstance(model, Decoding) or not text:
        return None
    named = [one for one in prompt.segments if one.kind in _DECODED_KINDS]
    found = model.attribute(prompt, text, named, cache_key=cache_key)
    if found is None:
        return None
    shares: dict[tuple[str, Kind], float] = {}
    for segment, share in zip(named, found, strict=True):
        part = (segment.ref, _DECODED_KINDS[segment.kind])
        shares[part] = shares.get(part, 0.0) + share
    told = [
        Attribution(segment=ref, kind=kind, share=min(1.0, share))
        for (ref, kind), share in shares.items()
        if share > 0
    ]
    return tuple(sorted(told, key=lambda one: -one.share))


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
    exact = decoded_shares(parts.model, whole, reply.text, cache_key=conversation.id)
    if exact is not None:
        return exact
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
