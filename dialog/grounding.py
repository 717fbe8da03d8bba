"""Cutting a stream of text into sentences, each checked before anybody sees it.

for sentence in grounded(texts, passages=passages, said="And the fee?", min_support=0.6):
    if not sentence.supported: break
    print(sentence.text)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dialog.citations import Check, check_sentence
from dialog.text import sentences
from dialog.values import Passage


@dataclass(frozen=True)
class Sentence:
    """A finished sentence of a draft.

    `text` includes the white space before it, so that the texts joined are the
    draft; `start` is where its first visible character stands in the draft.
    """

    text: str
    start: int
    check: Check
    supported: bool

    @property
    def end(self) -> int:
        return self.start + len(self.text.lstrip())


def grounded(
    texts: Iterable[str], *, passages: Sequence[Passage], said: str, min_support: float
) -> Iterator[Sentence]:
    """Sentences in order, as soon as each is finished; the last one when `texts` end.

    Args:
        texts: pieces of the draft.
        said: the user's words; figures from there may be repeated.
        min_support: the score from which a sentence counts as supported, in [0, 1].
    """
    for text, start in _sentences(texts):
        check = check_sentence(text, passages=passages, said=said)
        yield Sentence(text=text, start=start, check=check, supported=check.supported(min_support))


def _sentences(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """(text with the white space before it, position of its first visible character) of each sentence."""
    pending, offset = "", 0
    for piece in texts:
        pending += piece
        taken = 0
        # The last span may still grow: "3." may become "3.5".
        for start, end in sentences(pending)[:-1]:
            yield pending[taken:end], offset + start
            taken = end
        pending, offset = pending[taken:], offset + taken
    taken = 0
    for start, end in sentences(pending):
        yield pending[taken:end], offset + start
        taken = end
