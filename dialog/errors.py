"""The errors a user of this package can meet.

    DialogError                     exit code
    ├── ConfigError                 2   a setting is missing, unknown or contradictory
    ├── CorpusError(path, line)     2   a transcript or data file cannot be read
    ├── KnowledgeError              1   the knowledge index or a document
    ├── ModelError                  1   a model cannot be found, verified, loaded or run
    │   ├── PromptTooLong(needed, limit)
    │   └── ModelBusy(waiting, limit)
    ├── StoreError                  1   the conversation store
    │   ├── StaleHead               1   somebody else moved the conversation on
    │   └── DuplicateTurn           1   a turn with this key is already recorded
    ├── SkillError                  1   a skill refused or failed
    ├── Interrupted                 130 the person at the keyboard stopped it
    └── MissingExtra(extra)         2   an optional dependency is not installed

Every message says what happened, where, and what to do. `ValueError` and
`TypeError` stay for misuse of a function; `assert` for our own bugs.
"""

from __future__ import annotations

from pathlib import Path


class DialogError(Exception):
    """Root of everything this package raises on purpose."""

    exit_code = 1


class ConfigError(DialogError):
    """A setting is unknown, malformed or contradicts another."""

    exit_code = 2


class CorpusError(DialogError):
    """A data file cannot be read; `path` and `line` (1-based, 0 if the whole file) say where."""

    exit_code = 2

    def __init__(self, problem: str, *, path: str | Path, line: int = 0) -> None:
        self.path = Path(path)
        self.line = line
        where = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{where}: {problem}")


class KnowledgeError(DialogError):
    """The knowledge index is missing, damaged, locked, or made by another configuration."""


class ModelError(DialogError):
    """A model cannot be found, verified, loaded or run."""


class PromptTooLong(ModelError):
    """The parts of a prompt that may never be dropped do not fit the model."""

    def __init__(self, *, needed: int, limit: int, advice: str = "") -> None:
        self.needed = needed
        self.limit = limit
        remedy = (
            advice or 'shorten the message, lower sampling.max_tokens or set prompt.on_overflow = "summarise"'
        )
        super().__init__(f"prompt needs {needed} tokens but {limit} are available; {remedy}")


class ModelBusy(ModelError):
    """As many requests wait for the model as may; none of them is lost, but this one was not taken."""

    def __init__(self, *, waiting: int, limit: int) -> None:
        self.waiting = waiting
        self.limit = limit
        super().__init__(
            f"the model is busy: {waiting} requests are waiting for it and at most {limit} may; "
            "ask again in a few seconds, or raise model.queue or model.slots"
        )


class StoreError(DialogError):
    """The conversation store cannot be opened, read or written."""


class StaleHead(StoreError):
    """The conversation moved on between reading and writing it; load it again and retry."""


class DuplicateTurn(StoreError):
    """A user turn with the same key is recorded already; its reply is what was asked for."""


class SkillError(DialogError):
    """A skill refused its input or failed."""


class Interrupted(DialogError):
    """The person at the keyboard stopped the work; what was done so far is kept."""

    exit_code = 130


class MissingExtra(DialogError):
    """An optional dependency is needed."""

    exit_code = 2

    def __init__(self, extra: str, *, needed_for: str) -> None:
        self.extra = extra
        super().__init__(
            f"{needed_for} needs the extra {extra!r}; install it with: pip install 'instructrec[{extra}]'"
        )
