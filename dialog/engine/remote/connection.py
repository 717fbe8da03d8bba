"""One streaming request, read by a thread of its own so that it can be broken off at any moment.

    with closing(Connection(client_settings, url, body)) as connection:
        event = connection.next_event(timeout_s=0.05)      # None: nothing yet

A socket that is being read cannot be closed by another thread; it can be shut
down, which ends the read at once. The server notices and stops generating.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Any

import httpx

from dialog.engine.remote.failures import Failure, broken, refused
from dialog.engine.remote.wire import events

_CONNECT_S = 10.0
_MAX_ERROR_BYTES = 1 << 16
_AHEAD = 64
"""Events read before anybody asks for them."""


@dataclass(frozen=True)
class Wire:
    """How requests are made: headers, how long silence may last, whose certificates are trusted."""

    headers: dict[str, str] = field(repr=False)
    timeout_s: float
    certificates: ssl.SSLContext = field(default_factory=httpx.create_ssl_context)

    def client(self) -> httpx.Client:
        """A client of its own for each request: breaking one off disturbs no other."""
        timeout = httpx.Timeout(self.timeout_s, connect=min(_CONNECT_S, self.timeout_s))
        return httpx.Client(headers=self.headers, timeout=timeout, verify=self.certificates)


class Connection:
    """Events of a POST as they come. `next_event` and `close` are for one thread."""

    def __init__(self, wire: Wire, url: str, body: dict[str, Any]) -> None:
        self._events: Queue[str | Exception | None] = Queue(maxsize=_AHEAD)
        self._is_closed = Event()
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._thread = Thread(target=self._run, args=(wire, url, body), name="model server", daemon=True)
        self._thread.start()

    def next_event(self, *, timeout_s: float) -> str | None:
        """The next event's data; None if there is none yet.

        Raises:
            Failure: refused, broken off, or fallen silent.
            EOFError: the stream is at its end.
        """
        try:
            event = self._events.get(timeout=timeout_s)
        except Empty:
            return None
        if event is None:
            raise EOFError
        if isinstance(event, Exception):
            raise event
        return event

    def close(self) -> None:
        """Break the request off; harmless when it is over."""
        with self._lock:
            self._is_closed.set()
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _run(self, wire: Wire, url: str, body: dict[str, Any]) -> None:
        try:
            for event in self._read(wire, url, body):
                self._hand_over(event)
            self._hand_over(None)
        except Failure as failure:
            self._hand_over(failure)
        except (httpx.HTTPError, OSError, ValueError) as error:  # ValueError: shut down while TLS was read
            self._hand_over(broken(error if isinstance(error, httpx.HTTPError | OSError) else OSError(error)))

    def _read(self, wire: Wire, url: str, body: dict[str, Any]) -> Iterator[str]:
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        with (
            wire.client() as client,
            client.stream(
                "POST", url, json=body, headers=headers, extensions={"trace": self._watch}
            ) as response,
        ):
            if response.status_code != 200:
                raise refused(response, read_start(response.iter_bytes(), _MAX_ERROR_BYTES))
            yield from events(response.iter_bytes())

    def _watch(self, event: str, facts: dict[str, Any]) -> None:
        """Remember the socket as soon as there is one."""
        if event not in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            return
        with self._lock:
            self._socket = facts["return_value"].get_extra_info("socket")
        if self._is_closed.is_set():
            self.close()

    def _hand_over(self, event: str | Exception | None) -> None:
        while not self._is_closed.is_set():
            try:
                return self._events.put(event, timeout=0.1)
            except Full:
                continue


def read_start(pieces: Iterator[bytes], most: int) -> str:
    """The beginning of a body, as text."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= most:
            break
    return start[:most].decode("utf-8", "replace")


Opener = Callable[[str, dict[str, Any]], Connection]
