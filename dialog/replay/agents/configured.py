"""`DialogAgent` as an agent to replay: each turn begins from the recorded history, in a store of its own.

The store is in memory and a turn's conversation is deleted when the next one
begins; the model's cache of a conversation's past stays. The seed is added to
`sampling.seed`; a greedy agent ignores it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from dialog.agent import DialogAgent
from dialog.config import Config
from dialog.entries import UserSaid
from dialog.errors import DialogError
from dialog.events import ActionProposed, Retrieved
from dialog.metrics.judged import Action, Given
from dialog.replay.agents.answering import Answer, failed
from dialog.replay.asked import Asked
from dialog.replay.environments.environment import Environment, Tool
from dialog.replay.environments.opened import Worlds
from dialog.store import open_store
from dialog.store.transfer import from_transcript
from dialog.streams import TurnStream
from dialog.values import Attribution, Message, Reply, Transcript

_EXCERPT_CHARS = 60
_LAST_STEP_S = 60.0
"""How long a model may take to come to its next token once it is asked to stop."""


class ConfiguredAgent:
    """The agent of a configuration, shared by all sessions.

    Args:
        config: as `load_config` read it; its store is not touched.
        scores: whether to measure how likely the model finds the wanted reply.
        explains: whether to measure what each reply rests on (`DialogAgent.explain`).
        progress: told what is being fetched or opened.
        tools: of the environment it may act on in free replay; skills propose them by name.

    Raises:
        ModelError, KnowledgeError, ConfigError: a part cannot be opened.
    """

    def __init__(
        self,
        config: Config,
        *,
        scores: bool = False,
        explains: bool = False,
        progress: Callable[[str], None] | None = None,
        tools: Sequence[Tool] = (),
    ) -> None:
        self._store = open_store("sqlite://")
        self._worlds = Worlds(tools)
        self._agent = DialogAgent(
            config, store=self._store, actions=self._worlds.actions(), progress=progress
        )
        self._scores = scores
        self._explains = explains
        self._stop = threading.Event()
        self._quiet = threading.Condition()
        self._num_sessions = 0
        self.fingerprint: Mapping[str, str | None] = {
            "kind": "config",
            **self._agent.parts.fingerprint.model_dump(),
        }

    @contextmanager
    def session(self, *, seed: int) -> Iterator[Answer]:
        used: set[str] = set()

        def answer(asked: Asked) -> Given:
            conversation_id = _named(asked, seed)
            used.add(conversation_id)
            self._begin(conversation_id, _spoken(asked.messages)[:-1])
            return self._answer(asked, conversation_id, seed=seed)

        with self._counted():
            yield answer
            for conversation_id in used:
                self._store.delete(conversation_id)

    @contextmanager
    def conversation(self, *, seed: int, environment: Environment | None) -> Iterator[Answer]:
        used: set[str] = set()

        def answer(asked: Asked) -> Given:
            conversation_id = _named(asked, seed)
            if conversation_id not in used:
                used.add(conversation_id)
                self._begin(conversation_id, _spoken(asked.messages)[:-1])
                self._worlds.enter(conversation_id, environment)
            return self._answer(asked, conversation_id, seed=seed)

        with self._counted():
            yield answer
            for conversation_id in used:
                self._worlds.enter(conversation_id, None)
                self._store.delete(conversation_id)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._quiet:
            self._num_sessions += 1
        try:
            yield
        finally:
            with self._quiet:
                self._num_sessions -= 1
                self._quiet.notify_all()

    def close(self) -> None:
        self._stop.set()
        with self._quiet:  # nothing may be closed under a model that is still at work
            self._quiet.wait_for(lambda: self._num_sessions == 0, timeout=_LAST_STEP_S)
        self._agent.close()
        self._store.close()

    def _answer(self, asked: Asked, conversation_id: str, *, seed: int) -> Given:
        last = _spoken(asked.messages)[-1]
        sampling = self._agent.config.values.sampling
        sampling = sampling.model_copy(update={"seed": (sampling.seed or 0) + seed})
        started = time.perf_counter()
        try:
            with self._agent.stream(
                last.content, conversation_id=conversation_id, sampling=sampling
            ) as stream:
                heard = self._heard(stream)
            latency_s = time.perf_counter() - started
            assert stream.reply is not None, "a stream ends with Finished or raises"
            return self._given(asked, conversation_id, stream.reply, latency_s=latency_s, heard=heard)
        except DialogError as error:
            return failed("crash", f"{type(error).__name__}: {error}")
        except Exception as error:  # a skill's or an engine's bug is this turn's failure
            return failed("crash", f"{type(error).__name__}: {error}")

    def _begin(self, conversation_id: str, before: Sequence[Message]) -> None:
        self._store.delete(conversation_id)
        if before:
            conversation = from_transcript(Transcript(id=conversation_id, messages=tuple(before)))
            self._store.append(conversation_id, conversation.entries(), expected_head=None)

    def _heard(self, stream: TurnStream) -> dict[str, object]:
        """What only the events tell."""
        retrieved: tuple[tuple[str, str], ...] | None = None
        confidence: float | None = None
        actions: list[Action] = []
        for event in stream:
            if self._stop.is_set():
                stream.cancel()
            match event:
                case Retrieved(result=result):
                    retrieved = tuple((one.id, one.source) for one in result.passages)
                    confidence = result.confidence
                case ActionProposed(name=name, arguments=arguments):
                    actions.append(Action(name=name, arguments=arguments))
                case _:
                    pass
        return {"retrieved": retrieved, "confidence": confidence, "actions": tuple(actions)}

    def _given(
        self,
        asked: Asked,
        conversation_id: str,
        reply: Reply,
        *,
        latency_s: float,
        heard: Mapping[str, object],
    ) -> Given:
        is_handed_off = reply.finish_reason == "handed_off"
        is_empty = not reply.text.strip() and not is_handed_off
        logprobs, problem = self._logprobs(asked, conversation_id)
        return Given.model_validate(
            {
                **heard,
                "text": reply.text,
                "failure": "empty" if is_empty else None,
                "detail": "the text is empty" if is_empty else problem,
                "citations": reply.citations,
                "unsupported": reply.unsupported,
                "attribution": self._attribution(conversation_id, reply),
                "state": reply.state.slots,
                "intent": reply.state.intent,
                "abstained": reply.finish_reason == "abstained",
                "handed_off": is_handed_off,
                "logprobs": logprobs,
                "latency_s": latency_s,
                "first_token_s": reply.timings.first_token_s,
                "prompt_tokens": reply.timings.prompt_tokens,
                "reply_tokens": reply.timings.reply_tokens,
            }
        )

    def _logprobs(self, asked: Asked, conversation_id: str) -> tuple[tuple[float, ...] | None, str]:
        """Of the wanted reply's tokens; None, and why, where the engine cannot tell."""
        if not self._scores or asked.wanted.text is None:
            return None, ""
        try:
            prompt = self._agent.preview(conversation_id)
            (scores,) = self._agent.model.score(prompt, [asked.wanted.text])
        except (DialogError, NotImplementedError) as error:
            return None, f"the wanted reply was not scored: {error}"
        return scores.logprobs, ""

    def _attribution(self, conversation_id: str, reply: Reply) -> tuple[Attribution, ...] | None:
        if not self._explains or reply.attribution is not None:
            return reply.attribution
        said = {
            entry.id: entry.text[:_EXCERPT_CHARS]
            for entry in self._agent.history(conversation_id).path()
            if isinstance(entry, UserSaid)
        }
        # an entry's id says nothing to whoever reads the report, and the next turn's is another
        return tuple(
            cause.model_copy(update={"segment": said.get(cause.segment, cause.segment)})
            for cause in self._agent.explain(conversation_id)
        )


def _named(asked: Asked, seed: int) -> str:
    return asked.conversation_id if seed == 0 else f"{asked.conversation_id} (seed {seed})"


def _spoken(messages: Sequence[Message]) -> list[Message]:
    """What a recorded conversation can hold, the newest user message last.

    Tools' messages and calls without words have no entry there and are left
    out; whoever answered stands for the agent.
    """
    kept = [
        message.model_copy(update={"name": None}) if message.role == "assistant" else message
        for message in messages
        if message.role != "tool" and message.content.strip()
    ]
    at = max(place for place, message in enumerate(kept) if message.role == "user")
    return [*kept[:at], *kept[at + 1 :], kept[at]]
