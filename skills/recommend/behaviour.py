"""Who took what, when: the past as one matrix and, for each item, what came just before and after it.

    past = Behaviour(events, num_items=len(catalogue.items))
    past.popularity, past.taken

Held whole in memory (4 bytes a user and item), which suits shops of up to
`MAX_CELLS`; a larger log is refused, not cut: give the events of the last year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialog.errors import SkillError
from dialog.values import Value
from skills.recommend.catalogue import Catalogue, rows_of

MAX_CELLS = 400_000_000
"""Users times items."""

Floats = NDArray[np.float64]


class Taken(Value):
    """One user took (bought, watched, rated) one item, `place` in the catalogue, at `time_s`."""

    user: str
    place: int
    time_s: float


class Behaviour:
    """What all users took. Events of one user are ordered by time, equal times by place."""

    def __init__(self, events: Iterable[Taken], *, num_items: int) -> None:
        self.histories: dict[str, tuple[Taken, ...]] = {}
        grouped: dict[str, list[Taken]] = {}
        for event in events:
            grouped.setdefault(event.user, []).append(event)
        for user in sorted(grouped):
            ordered = sorted(grouped[user], key=lambda event: (event.time_s, event.place))
            self.histories[user] = tuple(ordered)
        self.num_items = num_items
        if len(self.histories) * num_items > MAX_CELLS:
            raise SkillError(
                f"{len(self.histories)} users times {num_items} items are more than {MAX_CELLS} cells; "
                f"give fewer users' events"
            )

    @cached_property
    def taken(self) -> NDArray[np.float32]:
        """1 where a user took an item; users in the order of `histories`."""
        matrix = np.zeros((len(self.histories), self.num_items), dtype=np.float32)
        for row, history in enumerate(self.histories.values()):
            matrix[row, [event.place for event in history]] = 1
        return matrix

    @cached_property
    def popularity(self) -> Floats:
        """How many users took each item."""
        return np.asarray(self.taken.sum(axis=0, dtype=np.float64))

    @cached_property
    def sequence(self) -> NDArray[np.int64]:
        """Places of all histories one after the other, -1 between two users."""
        parts = [np.array([*(event.place for event in one), -1]) for one in self.histories.values()]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    @cached_property
    def standing(self) -> Mapping[int, NDArray[np.int64]]:
        """Where in `sequence` each item stands."""
        order = np.argsort(self.sequence, kind="stable")
        places, starts = np.unique(self.sequence[order], return_index=True)
        ends = [*starts[1:].tolist(), len(order)][: len(places)]
        return {
            place: order[start:end] for place, start, end in zip(places.tolist(), starts, ends, strict=True)
        }

    @cached_property
    def times(self) -> tuple[Floats, NDArray[np.int64]]:
        """(seconds, place) of every event, oldest first."""
        told = sorted((event.time_s, event.place) for one in self.histories.values() for event in one)
        return np.array([time for time, _ in told]), np.array([place for _, place in told], dtype=np.int64)


def read_behaviour(path: Path, catalogue: Catalogue) -> tuple[list[Taken], int]:
    """The events of a CSV or JSONL file with user, item and time (or MovieLens' own names).

    Returns:
        The events, and how many were left out for naming an item that is not in the catalogue.

    Raises:
        SkillError: the file cannot be read, or a line lacks a field.
    """
    events, unknown = [], 0
    for number, row in rows_of(path):
        try:
            user, item, time = (_either(row, names) for names in _FIELDS)
            place = catalogue.places.get(str(item))
            if place is None:
                unknown += 1
            else:
                events.append(Taken(user=str(user), place=place, time_s=_seconds(str(time))))
        except (KeyError, ValueError) as error:
            raise SkillError(f"{path}, line {number}: {error}; give user, item and time") from error
    return events, unknown


_FIELDS = (("user", "userId"), ("item", "movieId"), ("time", "timestamp"))


def _either(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        if row.get(name) not in (None, ""):
            return row[name]
    raise KeyError(f"no {names[0]!r}")


def _seconds(time: str) -> float:
    try:
        return float(time)
    except ValueError:
        return datetime.fromisoformat(time).timestamp()
