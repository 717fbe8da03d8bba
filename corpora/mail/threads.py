"""Which mails belong together: by what they answer, else by their subject; a few numbers a mail, no text.

threads = Threads()
threads.add(envelope, Place(0, 812))
for places in threads.sorted(): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from corpora.mail.letters import Envelope
from corpora.seen import digest_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail lies: bytes of an mbox, or a whole file; `line` is where it begins."""

    start: int
    end: int
    line: int
    path: Path | None = None


class Threads:
    """Groups mails as they are added, in any order."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._mails: list[tuple[float | None, Place]] = []
        self._by_id: dict[int, int] = {}
        self._by_subject: dict[int, int] = {}

    def add(self, envelope: Envelope, place: Place) -> None:
        """Put a mail where it belongs."""
        number = len(self._mails)
        self._parent.append(number)
        self._mails.append((_seconds(envelope.time), place))
        for named in filter(None, (envelope.message_id, *envelope.references)):
            self._join(number, self._by_id.setdefault(digest_of(named), number))
        if envelope.subject:
            subject = digest_of(envelope.subject.casefold())
            if envelope.is_reply and not envelope.references and subject in self._by_subject:
                self._join(number, self._by_subject[subject])
            self._by_subject[subject] = number

    def sorted(self) -> list[list[Place]]:
        """Threads in the order of their first mails in the file; in each, mails by time."""
        grouped: dict[int, list[int]] = {}
        for number in range(len(self._mails)):
            grouped.setdefault(self._root(number), []).append(number)
        return [[self._mails[number][1] for number in self._by_time(group)] for group in grouped.values()]

    def _by_time(self, group: list[int]) -> list[int]:
        if any(self._mails[number][0] is None for number in group):
            return group
        return sorted(group, key=lambda number: (self._mails[number][0], number))

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self._parent[second] = first


def _seconds(time: datetime | None) -> float | None:
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
