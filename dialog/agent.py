"""`DialogAgent`: the public class. It runs turns in order and records them.

    agent = DialogAgent.from_config("instructrec.toml")
    reply = agent.reply("Where is my parcel?", conversation_id="c-42")

Safe to share between threads: turns of one conversation run in order, others
are not held up. The model, the knowledge and the store are opened when first
needed. The user's words are durable before anything is generated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dialog.acting import Acting
from dialog.actions import Action, by_name
from dialog.asking import Asking
from dialog.config import Config, load_config
from dialog.conversation import Conversation
from dialog.draft import Outcome, Parts, Request
from dialog.entries import UserSaid
from dialog.events import Event, Finished, TextDelta
from dialog.learning import Learning
from dialog.ledger import Ledger
from dialog.opening import Opening
from dialog.protocols import LanguageModel, Retriever, Store
from dialog.recording import (
    answer_to,
    asked_at,
    last_said,
    outcome_entries,
    said,
)
from dialog.skill import Skill, Tools
from dialog.streams import TurnStream
from dialog.structured import Form
from dialog.turn import run_turn
from dialog.values import Reply, Sampling

_RETRY_TEMPERATURE = 0.8


class DialogAgent(Asking, Acting):
    """A dialogue agent over one model, one knowledge base and one store.

    Args:
        config: from `load_config`.
        model, retriever, store: ready-made parts; None opens the configured ones when needed.
        skills: ready-made skills; None loads the enabled entry points.
        actions: what skills and programs may propose (`dialog.actions`).
        progress: told what is being fetched or opened, a sentence at a time.
    """

    def __init__(
        self,
        config: Config,
        *,
        model: LanguageModel | None = None,
        retriever: Retriever | None = None,
        store: Store | None = None,
        skills: Sequence[Skill] | None = None,
        actions: Sequence[Action[Any]] = (),
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.config = config
        self.actions = by_name(actions)
        self._open = Opening(
            config,
            model=model,
            retriever=retriever,
            store=store,
            skills=skills,
            actions=self.actions,
            progress=progress,
        )

    @classmethod
    def from_config(
        cls,
        path: str | Path | None = None,
        *,
        overrides: Sequence[str] = (),
        progress: Callable[[str], None] | None = None,
    ) -> Self:
        """The agent a configuration file describes; `overrides` are `section.key=value`.

        Raises:
            ConfigError: see `load_config`.
        """
        return cls(load_config(Path(path) if path else None, overrides=overrides), progress=progress)

    @property
    def model(self) -> LanguageModel:
        """The language model, loaded when first asked for. Raises ModelError."""
        return self._open.model

    @property
    def retriever(self) -> Retriever | None:
        """The knowledge base; None where nothing was ever indexed. Raises KnowledgeError."""
        return self._open.retriever

    @property
    def store(self) -> Store:
        """The conversation store. Raises StoreError."""
        return self._open.store

    @property
    def skills(self) -> Sequence[Skill]:
        """The skills the router may pick. Raises ConfigError."""
        return self._open.skills

    @property
    def tools(self) -> Tools:
        """What skills may use, each part opened when it is first asked for."""
        return self._open

    @property
    def ledger(self) -> Ledger:
        """Where conversations are read and written. Raises StoreError."""
        return self._open.ledger

    @property
    def learning(self) -> Learning:
        """What ratings teach this deployment. Raises StoreError, ConfigError."""
        return self._open.learning

    @property
    def parts(self) -> Parts:
        """All that a turn needs, opened. Raises what opening them raises."""
        return self._open.parts

    def _asked(
        self,
        text: str,
        *,
        conversation_id: str,
        turn_key: str | None,
        sampling: Sampling | None,
        form: Form | None = None,
    ) -> TurnStream:
        words = self.checked(text)
        return self._stream(
            conversation_id,
            say=lambda conversation: said(words, after=conversation, turn_key=turn_key),
            turn_key=turn_key,
            sampling=sampling,
            form=form,
        )

    def edit(
        self, conversation_id: str, turn_index: int, text: str, *, sampling: Sampling | None = None
    ) -> TurnStream:
        """Say something else in place of user turn `turn_index` (from 0) and answer that.

        The old turn and what followed it stay in the record as a branch.

        Raises:
            ValueError: there is no such turn, or `text` is empty.
        """
        words = self.checked(text)
        self.history(conversation_id).edit(turn_index)
        return self._stream(
            conversation_id,
            say=lambda conversation: said(words, after=conversation.edit(turn_index)),
            sampling=sampling,
        )

    def retry(self, conversation_id: str, *, sampling: Sampling | None = None) -> TurnStream:
        """Answer the last message again; the old reply stays in the record as a branch.

        A greedy configuration would repeat itself, so it samples unless `sampling` is given.

        Raises:
            ValueError: nothing was said yet.
        """
        last_said(self.history(conversation_id))
        chosen = sampling or self.config.values.sampling
        if sampling is None and chosen.temperature == 0:
            chosen = chosen.model_copy(update={"temperature": _RETRY_TEMPERATURE})
        return self._stream(conversation_id, say=None, sampling=chosen)

    def close(self) -> None:
        """Close the parts this agent opened; those it was given stay open."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stream(
        self,
        conversation_id: str,
        *,
        say: Callable[[Conversation], UserSaid] | None,
        turn_key: str | None = None,
        sampling: Sampling | None = None,
        form: Form | None = None,
    ) -> TurnStream:
        cancel = threading.Event()
        events = self._turn(
            conversation_id,
            say=say,
            turn_key=turn_key,
            sampling=sampling or self.config.values.sampling,
            cancel=cancel,
            form=form,
        )
        return TurnStream(events, cancel)

    def _turn(
        self,
        conversation_id: str,
        *,
        say: Callable[[Conversation], UserSaid] | None,
        turn_key: str | None,
        sampling: Sampling,
        cancel: threading.Event,
        form: Form | None,
    ) -> Generator[Event, None, None]:
        """One turn from the words to the record, alone in its conversation; `say` None answers again."""
        parts = self.parts
        with self.ledger.turn(conversation_id):
            message = self._message(conversation_id, say, turn_key)
            conversation = self.history(conversation_id)
            answer = answer_to(conversation, message) if turn_key is not None else None
            if answer is not None:
                yield from _replayed(answer)
                return
            request = Request(conversation, message, sampling, cancel, form)
            yield from run_turn(parts, request, record=partial(self._record, conversation_id))

    def _record(self, conversation_id: str, outcome: Outcome) -> None:
        self.ledger.append(conversation_id, lambda newest: list(outcome_entries(newest, outcome)))
        for proposal in outcome.proposals:
            if not proposal.needs_approval:
                self._act(conversation_id, proposal.action_id)

    def _message(
        self, conversation_id: str, say: Callable[[Conversation], UserSaid] | None, turn_key: str | None
    ) -> UserSaid:
        """The message to answer, durable and at the head: a new one, or a recorded one asked for again."""
        known = self.history(conversation_id).said_with_key(turn_key) if turn_key is not None else None
        if known is None and say is not None:
            self.learning.catch_up(self.history(conversation_id))
            return last_said(
                self.ledger.append(conversation_id, lambda newest: self.heard(say(newest), newest))
            )
        message = known or last_said(self.history(conversation_id))
        if say is None or answer_to(self.history(conversation_id), message) is None:
            self.ledger.move(conversation_id, lambda newest: newest.switch(asked_at(newest, message)))
        return message


def _replayed(reply: Reply) -> Generator[Event, None, None]:
    if reply.text:
        yield TextDelta(text=reply.text)
    yield Finished(reply=reply)
