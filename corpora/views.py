"""How a conversation is shown besides its words: what a view gives, and where views come from.

A view joins by the entry point group `instructrec.views`, since what it shows may
belong to a package above this one: `trained` is `training`'s, and shows exactly the
sequences a model would be trained on.

    view = view_of("trained")
    for sequence in view(transcript, tokenizer, limit_tokens=2048).sequences: ...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from dialog import plugins
from dialog.errors import DialogError
from dialog.protocols import ChatTokenizer
from dialog.values import SegmentKind, Transcript

GROUP = "instructrec.views"


@dataclass(frozen=True)
class Stretch:
    """Tokens of one kind and one weight in the loss (0: not trained on), as text."""

    text: str
    kind: SegmentKind
    weight: float
    num_tokens: int


@dataclass(frozen=True)
class Shown:
    """The token sequences a conversation becomes, in order, and what of it is in none and why."""

    sequences: tuple[tuple[Stretch, ...], ...]
    notes: tuple[str, ...] = ()


class View(Protocol):
    """Turns a conversation into sequences of tokens."""

    def __call__(self, transcript: Transcript, tokenizer: ChatTokenizer, *, limit_tokens: int) -> Shown:
        """The sequences, each of at most `limit_tokens` tokens."""
        ...


def view_of(name: str) -> View:
    """The view of that name.

    Raises:
        DialogError: it is not installed, or does not load.
    """
    loaded = plugins.load(GROUP, only=name)
    for broken in loaded.broken:
        raise DialogError(f"the view {name!r} of {broken.target} does not load: {broken.error}")
    if name not in loaded.found:
        raise DialogError(f"no view {name!r} is installed; install instructrec again")
    return cast(View, loaded.found[name])
