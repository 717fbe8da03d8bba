"""Training examples from transcripts, rendered by the renderer that serves the chat.

For every agent turn, the ids before it are exactly the prompt that `render` shows
the model at that turn; the ids after it are the reply and its terminator, and
only those are in the loss. Turns share an example as long as each prompt
continues the one before it; where it does not (older turns were dropped, the
template renders history otherwise), a new example begins. Each reply is trained once.

    built = build_examples(transcript, model.tokenizer, limit_tokens=2048)
    for example in built.examples:
        example.ids, example.labels(), example.weights, example.segments
    built.refused          # why there is nothing to train on, or None
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dialog.errors import PromptTooLong
from dialog.prompt.continuation import continue_with
from dialog.prompt.parts import Laid
from dialog.prompt.render import render
from dialog.prompt.template import open_template
from dialog.protocols import ChatTokenizer
from dialog.values import Prompt, Segment, Transcript
from training.exchanges import Exchange, exchanges_of, history

OnLong = Literal["windows", "drop", "raise"]


@dataclass(frozen=True)
class Example:
    """One sequence to train on.

    Attributes:
        ids: token ids.
        weights: each token's weight in the loss; 0 for all that is not a reply.
        segments: disjoint, in order, covering `ids`.
        turns: numbers (from 0) of the exchanges whose replies are trained here.
        boundaries: for each of those, where its prompt ends and its reply begins in `ids`.
    """

    conversation_id: str
    ids: tuple[int, ...]
    weights: tuple[float, ...]
    segments: tuple[Segment, ...]
    turns: tuple[int, ...]
    boundaries: tuple[int, ...]

    @property
    def num_supervised(self) -> int:
        """Tokens in the loss."""
        return sum(weight > 0 for weight in self.weights)

    def labels(self, *, ignore: int = -100) -> tuple[int, ...]:
        """The id at each supervised position, `ignore` elsewhere (not shifted)."""
        pairs = zip(self.ids, self.weights, strict=True)
        return tuple(token if weight > 0 else ignore for token, weight in pairs)


@dataclass(frozen=True)
class Built:
    """What became of one transcript; without examples, `refused` says why."""

    conversation_id: str
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    refused: str | None = None


def build_examples(
    transcript: Transcript,
    tokenizer: ChatTokenizer,
    *,
    limit_tokens: int,
    on_long: OnLong = "windows",
) -> Built:
    """All supervised replies of a transcript, each behind its prompt.

    Args:
        limit_tokens: longest example.
        on_long: where a conversation exceeds the limit, "windows" leaves out the oldest
            turns as chat does, "drop" refuses it, "raise" raises.

    Raises:
        PromptTooLong: `on_long` is "raise" and the conversation is too long.
        ModelError: the chat template cannot be used for training.
    """
    grouped = exchanges_of(transcript)
    notes = list(grouped.notes)
    finished: list[Example] = []
    for number, exchange in enumerate(grouped.exchanges):
        if not exchange.is_trained:
            continue
        reply = continue_with(open_template(tokenizer), exchange.reply_parts)
        try:
            prompt = prompt_at(
                grouped.exchanges,
                number,
                tokenizer,
                limit_tokens=limit_tokens,
                reserve_tokens=len(reply.ids),
                whole=on_long != "windows",
            )
        except PromptTooLong as error:
            problem = f"turn {number}: {error.needed} tokens where {limit_tokens} are allowed"
            if on_long == "raise":
                advice = f'shorten conversation {transcript.id!r} or take on_long = "windows"'
                raise PromptTooLong(needed=error.needed, limit=error.limit, advice=advice) from error
            if on_long == "drop":
                return Built(transcript.id, (), tuple(notes), refused=problem)
            notes.append(f"{problem}, not trained on")
            continue
        if prompt.fit.dropped or prompt.fit.unlisted_turns:
            notes.append(f"turn {number}: trained on without its oldest turns, which exceed the limit")
        example = Example(
            conversation_id=transcript.id,
            ids=prompt.ids + reply.ids,
            weights=(0.0,) * len(prompt.ids) + _weights(exchange, reply),
            segments=_merged(prompt, reply),
            turns=(number,),
            boundaries=(len(prompt.ids),),
        )
        if finished and _continues(prompt, finished[-1]):
            finished[-1] = _grown(finished[-1], example)
        else:
            finished.append(example)
    refused = None if finished else _why_empty(grouped.exchanges, notes)
    return Built(transcript.id, tuple(finished), tuple(notes), refused)


def prompt_at(
    exchanges: Sequence[Exchange],
    number: int,
    tokenizer: ChatTokenizer,
    *,
    limit_tokens: int,
    reserve_tokens: int,
    whole: bool = False,
) -> Prompt:
    """What chat shows the model at exchange `number`.

    Args:
        limit_tokens: prompt and reply together.
        whole: never leave out the oldest turns.

    Raises:
        PromptTooLong: it does not fit.
    """
    exchange = exchanges[number]
    return render(
        tokenizer,
        instructions=exchange.instructions,
        turns=history(exchanges, number),
        passages=(),
        user=exchange.user,
        user_id=exchange.user_id,
        memory=exchange.memory,
        limit_tokens=limit_tokens,
        reserve_tokens=reserve_tokens,
        on_overflow="error" if whole else "drop_oldest",
    ).prompt


def _weights(exchange: Exchange, reply: Laid) -> tuple[float, ...]:
    """Each token's weight: its message's; for the template's own, that of the message before (or after)."""
    first = exchange.weights[exchange.reply_parts[0].ref]
    by_part: list[float] = []
    for part in reply.parts:
        before = by_part[-1] if by_part else first
        by_part.append(before if part.kind == "template" else exchange.weights[part.ref])
    return tuple(by_part[owner] for owner in reply.owners)


def _continues(prompt: Prompt, example: Example) -> bool:
    return prompt.ids[: len(example.ids)] == example.ids


def _grown(before: Example, example: Example) -> Example:
    """`example` with what was trained in the one whose ids it begins with."""
    return replace(
        example,
        weights=before.weights + example.weights[len(before.weights) :],
        turns=before.turns + example.turns,
        boundaries=before.boundaries + example.boundaries,
    )


def _merged(prompt: Prompt, reply: Laid) -> tuple[Segment, ...]:
    start = len(prompt.ids)
    shifted = [
        Segment(kind=one.kind, ref=one.ref, start=one.start + start, end=one.end + start)
        for one in reply.segments
    ]
    return (*prompt.segments, *shifted)


def _why_empty(exchanges: Sequence[Exchange], notes: Sequence[str]) -> str:
    if not any(exchange.reply_parts for exchange in exchanges):
        return "no agent reply after a user message"
    if not any(exchange.is_trained for exchange in exchanges):
        return 'every agent message has "loss": false or weight 0'
    return "; ".join(notes)
