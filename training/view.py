"""What a conversation is trained on, token by token: the view `trained` of `data inspect --tokens`.

shown = trained_tokens(transcript, tokenizer, limit_tokens=2048)
"".join(stretch.text for stretch in shown.sequences[0] if stretch.weight)     # what is in the loss
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from corpora.views import Shown, Stretch
from dialog.protocols import ChatTokenizer
from dialog.values import SegmentKind, Transcript
from training.examples import Example, build_examples


def trained_tokens(transcript: Transcript, tokenizer: ChatTokenizer, *, limit_tokens: int) -> Shown:
    """The examples `build_examples` makes, in stretches of one kind and one weight.

    Raises:
        ModelError: the chat template cannot be used for training.
    """
    built = build_examples(transcript, tokenizer, limit_tokens=limit_tokens)
    notes = (*built.notes, *([f"not trained on: {built.refused}"] if built.refused else []))
    return Shown(tuple(tuple(_stretches(example, tokenizer)) for example in built.examples), notes)


def _stretches(example: Example, tokenizer: ChatTokenizer) -> Iterator[Stretch]:
    kinds: list[SegmentKind] = []
    for segment in example.segments:
        kinds += [segment.kind] * (segment.end - segment.start)
    tokens = zip(kinds, example.weights, example.ids, strict=True)
    for (kind, weight), grouped in groupby(tokens, key=lambda token: token[:2]):
        ids = [token[2] for token in grouped]
        yield Stretch(tokenizer.decode(ids), kind, weight, len(ids))
