"""Messages made of parts, and the rendered conversation in which each token knows its part.

hello = Spoken("user", (Part("user", "u-1", "Hello"),))
hello.content, hello.as_message()
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from dialog.guard.control import clean
from dialog.values import Message, Role, Segment, SegmentKind


@dataclass(frozen=True)
class Part:
    """A piece of a message and where it came from; `ref` is empty for words of the frame itself."""

    kind: SegmentKind
    ref: str
    text: str


@dataclass(frozen=True)
class Spoken:
    """One message made of parts; its content is their texts joined as they are."""

    role: Role
    parts: tuple[Part, ...]

    @property
    def content(self) -> str:
        return "".join(part.text for part in self.parts)

    def as_message(self) -> Message:
        return Message(role=self.role, content=clean(self.content).text)


@dataclass(frozen=True)
class Laid:
    """A rendered conversation.

    `owners` gives each token's index into `parts`, which are in order of
    appearance; `controls` are the positions of the control tokens.
    """

    text: str
    ids: tuple[int, ...]
    owners: tuple[int, ...]
    parts: tuple[Part, ...]
    controls: tuple[int, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Disjoint half-open token ranges in order, covering all ids; neighbours of one origin are one."""
        found: list[tuple[Part, int, int]] = []
        start = 0
        for owner, group in groupby(self.owners):
            part, end = self.parts[owner], start + len(list(group))
            if found and (found[-1][0].kind, found[-1][0].ref) == (part.kind, part.ref):
                found[-1] = (part, found[-1][1], end)
            else:
                found.append((part, start, end))
            start = end
        return tuple(Segment(kind=part.kind, ref=part.ref, start=a, end=b) for part, a, b in found)
