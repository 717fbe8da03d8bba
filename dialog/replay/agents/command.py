"""A command as an agent: one JSON object a line in, one out; a child process for each session at work.

    CommandAgent(["python", "bot.py"], timeout_s=60).session(seed=0)

A child that crashes, answers too late or answers something that is no JSON has
failed that turn; it is killed and the next turn starts a new one. Its stderr
is read all the time, and the end of it goes into the failure's detail. The
seed stands in the child's environment as `INSTRUCTREC_REPLAY_SEED`.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import IO

from dialog.errors import ConfigError
from dialog.metrics.judged import Given
from dialog.replay.agents.acting import conversing
from dialog.replay.agents.answering import Answer, failed
from dialog.replay.agents.heard import BAD_ANSWER, heard
from dialog.replay.asked import Asked
from dialog.replay.environments.environment import Environment

MAX_LINE_BYTES = 16 * 2**20
STDERR_LINES = 20
STDERR_LINE_BYTES = 400
SEED_VARIABLE = "INSTRUCTREC_REPLAY_SEED"
_END = b""
_LAST_WORDS_S = 1.0


class CommandAgent:
    """Children that outlive a session wait for the next one of the same seed.

    Args:
        command: program and arguments; no shell.
        timeout_s: for one answer, with the time a new child needs to start.
        fingerprint: what the command is made of.

    Raises:
        ConfigError: the program cannot be started.
    """

    def __init__(
        self, command: Sequence[str], *, timeout_s: float, fingerprint: Mapping[str, str | None]
    ) -> None:
        self.fingerprint = fingerprint
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._idle: dict[int, list[_Child]] = {}
        self._all: set[_Child] = set()
        self._is_closed = False
        self._idle[0] = [self._started(0)]

    @contextmanager
    def session(self, *, seed: int) -> Iterator[Answer]:
        """Answers from one child, or from its successor after a failure."""
        with self._lock:
            waiting = self._idle.setdefault(seed, [])
            child = waiting.pop() if waiting else None
        holder = _Holder(child)

        def answer(asked: Asked) -> Given:
            started = time.perf_counter()
            try:
                if holder.child is None:
                    holder.child = self._started(seed)
                line = holder.child.exchange(asked, timeout_s=self._timeout_s)
                given = heard(_parsed(line), latency_s=time.perf_counter() - started)
                detail = given.detail if given.failure == BAD_ANSWER else ""
                kind = BAD_ANSWER
            except _Failed as error:
                kind, detail = error.kind, str(error)
            except ConfigError as error:
                kind, detail = "crash", str(error)
            if not detail:
                return given
            if holder.child is not None:
                detail += holder.child.end()
                self._forget(holder.child)
                holder.child = None
            return failed(kind, detail, latency_s=time.perf_counter() - started)

        yield answer
        if holder.child is not None:
            with self._lock:
                self._idle[seed].append(holder.child)

    def conversation(self, *, seed: int, environment: Environment | None) -> AbstractContextManager[Answer]:
        """The same, told what its actions did (`acting`)."""
        return conversing(self, seed=seed, environment=environment)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            children = list(self._all)
            self._all.clear()
        for child in children:
            child.end()

    def _started(self, seed: int) -> _Child:
        with self._lock:
            if self._is_closed:
                raise _Failed("crash", "the replay was stopped")
            child = _Child(self._command, seed=seed)
            self._all.add(child)
        return child

    def _forget(self, child: _Child) -> None:
        with self._lock:
            self._all.discard(child)


class _Failed(Exception):
    """An exchange that brought no line; `kind` is a failure kind."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class _Holder:
    """The child a session has now."""

    def __init__(self, child: _Child | None) -> None:
        self.child = child


class _Child:
    """One process and the threads that read it. Used by one session at a time."""

    def __init__(self, command: Sequence[str], *, seed: int) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=os.environ | {SEED_VARIABLE: str(seed), "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # Ctrl-C is ours; and its own children end with it
            )
        except OSError as error:
            raise ConfigError(
                f"the agent's command {command[0]!r} cannot be started: {error.strerror or error}; "
                "correct agent.command"
            ) from error
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._last_words: deque[bytes] = deque(maxlen=STDERR_LINES)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()

    def exchange(self, asked: Asked, *, timeout_s: float) -> bytes:
        """The line that answers. Raises _Failed."""
        deadline = time.monotonic() + timeout_s
        if not self._lines.empty() and self._lines.queue[0] != _END:
            raise _Failed(BAD_ANSWER, "a line came that answers nothing; write exactly one line an answer")
        line = json.dumps(asked.line(), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        writer = threading.Thread(target=self._write, args=(line,), daemon=True)
        writer.start()  # a child that does not read would block us once the pipe is full
        try:
            answer = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise _Failed("timeout", f"no answer within {timeout_s:g} s (agent.timeout_s)") from None
        if answer == _END:
            self._listener.join(_LAST_WORDS_S)
            code = self._exit_code()
            raise _Failed("crash", f"the command ended{'' if code is None else f' with code {code}'}")
        return answer

    def end(self) -> str:
        """Kill the process and whatever it started; the end of its stderr, introduced, or nothing."""
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._listener.join(_LAST_WORDS_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with suppress(OSError, ValueError):
                assert pipe is not None
                pipe.close()
        words = b"\n".join(self._last_words).decode("utf-8", "replace").strip()
        return f"; stderr: {words}" if words else ""

    def _exit_code(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout=_LAST_WORDS_S)
        return None

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # the reader finds out that it ended
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _read(self, stdout: IO[bytes]) -> None:
        with suppress(OSError, ValueError):
            while line := stdout.readline(MAX_LINE_BYTES):
                self._lines.put(line)
        self._lines.put(_END)

    def _listen(self, stderr: IO[bytes]) -> None:
        with suppress(OSError, ValueError):
            while line := stderr.readline(MAX_LINE_BYTES):
                self._last_words.append(line.rstrip()[-STDERR_LINE_BYTES:])


def _parsed(line: bytes) -> object:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        start = line[:80].decode("utf-8", "replace").strip()
        raise _Failed(
            BAD_ANSWER, f"the answer is no JSON ({error}): {start!r}; write other output to stderr"
        ) from None
    if not isinstance(found, dict):
        raise _Failed(BAD_ANSWER, f"the answer is a {type(found).__name__}, not a JSON object")
    return found
