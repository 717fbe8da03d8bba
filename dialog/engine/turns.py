"""A lock that is handed on in the order of asking.

With `threading.Lock` the stream that just finished a forward pass usually wins
the next one too, and a second conversation waits until the first is done.

    turns = Turns()
    with turns:
        logits = forward(...)
"""

from __future__ import annotations

from collections import deque
from threading import Lock


class Turns:
    """Mutual exclusion, first come first served. Not re-entrant."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            gate = Lock()
            gate.acquire()
            self._waiting.append(gate)
        try:
            gate.acquire()  # opened by whoever had the turn before
        except BaseException:  # Ctrl-C while waiting: the turn must not be handed to nobody
            self._give_up(gate)
            raise

    def __exit__(self, *_: object) -> None:
        with self._guard:
            self._hand_on()

    def _hand_on(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._is_taken = False

    def _give_up(self, gate: Lock) -> None:
        with self._guard:
            if gate in self._waiting:
                self._waiting.remove(gate)
            else:
                self._hand_on()
