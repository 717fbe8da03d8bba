"""What would be trained on: the first conversations token by token, and all of it in numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console

from corpora.showing import tokens
from dialog.protocols import ChatTokenizer
from dialog.values import Transcript
from training.data import TrainingData
from training.view import trained_tokens

_SHOWN = 3


def show_tokens(transcripts: Sequence[Transcript], tokenizer: ChatTokenizer, *, limit_tokens: int) -> None:
    """Print the first conversations, what is in the loss in reverse; in 【 】 where there is no colour."""
    is_terminal = sys.stdout.isatty()
    console = Console(
        file=sys.stdout, no_color=not is_terminal, highlight=False, soft_wrap=True, force_terminal=is_terminal
    )
    for transcript in transcripts[:_SHOWN]:
        console.print(tokens(transcript, trained_tokens(transcript, tokenizer, limit_tokens=limit_tokens)))
    if len(transcripts) > _SHOWN:
        console.print(f"... and {len(transcripts) - _SHOWN} more conversations\n")


def counts(data: TrainingData, *, num_held_out: int) -> Iterator[str]:
    """A line a fact; what is left out is named with its reason."""
    yield (
        f"{data.num_conversations} conversations, {len(data.examples)} examples, {data.num_tokens} tokens, "
        f"{data.num_supervised} trained on ({100 * data.num_supervised / data.num_tokens:.0f} %); "
        f"{num_held_out} conversations held out"
    )
    yield from left_out(data)


def left_out(data: TrainingData, *, of: str = "") -> Iterator[str]:
    """What was refused, shortened or not shown, with its reason and how often; `of` says of which part."""
    for reason, number in sorted(data.refused.items()):
        yield f"{of}{number} not trained on: {reason}"
    for note, number in sorted(data.notes.items()):
        yield f"{of}{number} x {note}"
