"""The seams: what an engine, a retriever, a store, an embedder or a skill must offer.

Each has at most four methods, so that a fake fits on a page (`dialog.testing`
has them) and a replacement in an afternoon. Implementations join through the
entry points `instructrec.engines`, `instructrec.skills`, `instructrec.readers`.
What a skill is stands in `dialog.skill`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pydantic import JsonValue

if TYPE_CHECKING:
    import numpy as np

    from dialog.conversation import Conversation
    from dialog.deeds import Action, NewAction
    from dialog.entries import Entry
    from dialog.heads import ConversationSummary, Head, Page

from dialog.values import (
    Chunk,
    Message,
    ModelInfo,
    Prompt,
    Sampling,
    SearchResult,
    TokenScores,
    Value,
)


class Cancel(Protocol):
    """A flag another thread may raise; `threading.Event` fits."""

    def is_set(self) -> bool: ...


class ChatTokenizer(Protocol):
    """The model's tokenizer and chat template, split so that only the template can make control ids."""

    @property
    def fingerprint(self) -> str: ...

    def apply_template(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """The stock chat template's text; raises ValueError where the template refuses the roles."""
        ...

    def split_control(self, text: str) -> list[tuple[int | None, str]]:
        """Template text as (control id, its text) and (None, plain text) pieces, in order."""
        ...

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids and character spans of plain text; never a control id, whatever the text says."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, control tokens included."""
        ...


class LanguageModel(Protocol):
    """An engine with one model loaded. Thread-safe: turns of several conversations may overlap."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def tokenizer(self) -> ChatTokenizer: ...

    def stream(
        self,
        prompt: Prompt,
        *,
        sampling: Sampling,
        cache_key: str | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Chunk]:
        """Generate; the last chunk carries `finish_reason`. Raises PromptTooLong, ModelError."""
        ...

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[TokenScores]:
        """Log-probabilities of each continuation's tokens after the prompt, in order."""
        ...


class Embedder(Protocol):
    """Turns text into unit vectors, float32, one row a text, of `dimension` columns."""

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray: ...

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray: ...


class Reranker(Protocol):
    """Reads a question and a passage together."""

    @property
    def name(self) -> str: ...

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """One score a passage, higher for what answers better; only their order means something."""
        ...


class Retriever(Protocol):
    """A searchable knowledge base."""

    @property
    def fingerprint(self) -> str: ...

    def search(
        self,
        query: str,
        *,
        top_k: int,
        history: Sequence[Message] = (),
        where: dict[str, Any] | None = None,
    ) -> SearchResult:
        """Best first, scores in [0, 1]. An empty index or query gives no passages and `abstain`."""
        ...


class Store(Protocol):
    """Durable conversations. Once `append` returns, its entries survive a killed process."""

    def append(
        self,
        conversation_id: str,
        entries: Sequence[Entry],
        *,
        expected_head: Head | None,
        head: str | None = None,
        tip: str | None = None,
    ) -> Head:
        """Add entries and move the head, or raise StaleHead if `expected_head` is no longer it.

        With `head`/`tip` the head moves there (undo, redo, switch); else to the last entry.
        """
        ...

    def load(self, conversation_id: str) -> Conversation:
        """The whole tree; an unknown id gives an empty conversation."""
        ...

    def hold(self, conversation_id: str) -> AbstractContextManager[None]:
        """The sole right, among all processes, to answer in a conversation within the block."""
        ...

    def list(self, *, limit: int, cursor: str | None = None) -> Page[ConversationSummary]:
        """Most recently active first."""
        ...


@runtime_checkable
class Outbox(Protocol):
    """What a store also offers that can have things done exactly once (`dialog.deeds`)."""

    def append(
        self,
        conversation_id: str,
        entries: Sequence[Entry],
        *,
        expected_head: Head | None,
        head: str | None = None,
        tip: str | None = None,
        actions: Sequence[NewAction] = (),
    ) -> Head:
        """`Store.append`, and in the same transaction `actions`; ids that are known stay as they are."""
        ...

    def claim(
        self,
        worker: str,
        *,
        lease_s: float = 60.0,
        only: str | None = None,
        names: Sequence[str] = (),
    ) -> Action | None:
        """The oldest action nobody is doing (of that id, of those names), `worker`'s for `lease_s`."""
        ...

    def complete(self, action_id: str, *, worker: str, result: JsonValue = None) -> None:
        """It is done and never handed out again. Raises StoreError if it is not `worker`'s any more."""
        ...

    def find_action(self, action_id: str) -> Action | None:
        """An action as it stands; None if there is none."""
        ...


class Setting(Value):
    """A small named value and how often it was put; version 0 means never."""

    name: str
    value: JsonValue = None
    version: int = 0


@runtime_checkable
class NamedValues(Protocol):
    """What a store must also offer where the agent learns (`dialog.learning`)."""

    def get_setting(self, name: str) -> Setting:
        """The value called `name`; version 0 and None if it was never put."""
        ...

    def put_setting(self, name: str, value: JsonValue, *, expected_version: int) -> Setting:
        """Replace the value, or raise StaleHead if it is no longer at `expected_version`."""
        ...


__all__ = [
    "Cancel",
    "ChatTokenizer",
    "Embedder",
    "LanguageModel",
    "NamedValues",
    "Outbox",
    "Reranker",
    "Retriever",
    "Setting",
    "Store",
]
