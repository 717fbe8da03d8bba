"""A served model as a `protocols.LanguageModel`.

    model = open_remote(config.model)                    # dialog.engine.remote.open
    for chunk in model.stream(prompt, sampling=Sampling(max_tokens=60)):
        print(chunk.text, end="")

Each stream is a connection of its own, broken off when its reader leaves or
cancels. Log-probabilities of given text (`score`, and with it attribution) are
had from servers that tell them, and refused in a sentence elsewhere. Whether a
server keeps what it has read is its own affair; where it tells, `cached_tokens`
says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from math import ceil

from dialog.engine.remote.address import Address, Key
from dialog.engine.remote.connection import Connection, Wire
from dialog.engine.remote.counting import StandInTokenizer
from dialog.engine.remote.failures import Broken, Failure, Refused, Stalled, explained, plain
from dialog.engine.remote.incoming import Incoming
from dialog.engine.remote.patience import persistent
from dialog.engine.remote.scoring import NotTold, score_ids
from dialog.engine.remote.wire import DONE, Dialect, read_delta, request_body
from dialog.errors import ModelError, PromptTooLong
from dialog.protocols import Cancel, ChatTokenizer
from dialog.values import Chunk, ModelInfo, Prompt, Sampling, TokenScores

_LOOK_S = 0.05
"""How often it is looked whether the reply is still wanted."""
_AFTER_END_S = 2.0
"""How long the server's counts are waited for when the reply is complete."""
_OPTIONAL = ("stream_options", "top_k", "min_p", "repetition_penalty", "repeat_penalty", "seed")
_MISCOUNT, _FRAME_TOKENS = 1.05, 16
"""So much more than counted is a template's own words, or a few marks that had to be broken."""

Notify = Callable[[str], None]


class RemoteModel:
    """One model of one server.

    Args:
        retries: how often a request is made again after a failure that may pass.
        notify: told once of what the server does not take or counts otherwise.
    """

    def __init__(
        self,
        address: Address,
        key: Key,
        wire: Wire,
        tokenizer: ChatTokenizer,
        *,
        info: ModelInfo,
        dialect: Dialect,
        retries: int,
        notify: Notify = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.info = info
        self.tokenizer = tokenizer
        self._address, self._key, self._wire, self._dialect = address, key, wire, dialect
        self._retries = retries
        self._notify = notify
        self._sleep = sleep
        self._not_taken: frozenset[str] = frozenset()
        self._has_told_miscount = False

    def stream(
        self,
        prompt: Prompt,
        *,
        sampling: Sampling,
        cache_key: str | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Chunk]:
        """Generate; nothing is sent before the first `next()`. Chunks hold text and no ids.

        Raises:
            PromptTooLong: by our count the prompt leaves no room for one token.
            ModelError: the server refuses, breaks off or goes silent.
            ValueError: the prompt has no messages.
        """
        if not prompt.messages:
            raise ValueError("the prompt has no messages, which are what a server is sent")
        room = self.info.context_tokens - len(prompt.ids)
        if room < 1:
            raise PromptTooLong(needed=len(prompt.ids) + 1, limit=self.info.context_tokens)
        fitted = sampling.model_copy(update={"max_tokens": min(sampling.max_tokens, room)})
        return self._stream(prompt, fitted, cancel)

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[TokenScores]:
        """Log-probabilities as the server tells them, a request each (`scoring`).

        The prompt is sent as the ids it was rendered to, so `model.tokenizer` must be the served model's own.

        Raises:
            PromptTooLong: prompt and a continuation together leave no room.
            ModelError: the ids are not the model's, or the server does not tell.
        """
        if isinstance(self.tokenizer, StandInTokenizer):
            raise ModelError(
                f"{self.info.name!r} can only score text whose tokens are known; set model.tokenizer to the "
                "served model's own, such as hf:ORG/NAME"
            )
        return [self._score_one(prompt.ids, text) for text in continuations]

    def _score_one(self, prompt_ids: tuple[int, ...], text: str) -> TokenScores:
        ids = self.tokenizer.encode(text)[0]
        needed = len(prompt_ids) + len(ids) + 1
        if needed > self.info.context_tokens:
            raise PromptTooLong(needed=needed, limit=self.info.context_tokens)
        if not ids:
            return TokenScores(ids=(), logprobs=())

        def attempt() -> Generator[list[float], None, None]:
            yield score_ids(self._wire, self._address, [*prompt_ids, *ids], num_scored=len(ids))

        try:
            [logprobs] = persistent(
                attempt, retries=self._retries, pause=lambda seconds: self._pause(seconds, None)
            )
        except NotTold as refusal:
            raise ModelError(
                f"the model server {self._address.url!r} does not tell how probable a given text is "
                f"({self._key.hide(plain(refusal.said))}); vLLM does, or let model.name be a model on "
                "this machine"
            ) from refusal
        except Failure as failure:
            raise explained(failure, address=self._address, key=self._key) from failure
        return TokenScores(ids=tuple(ids), logprobs=tuple(logprobs))

    def _stream(self, prompt: Prompt, sampling: Sampling, cancel: Cancel | None) -> Iterator[Chunk]:
        has_ended = False
        try:
            for chunk in persistent(
                lambda: self._attempt(prompt, sampling, cancel),
                retries=self._retries,
                pause=lambda seconds: self._pause(seconds, cancel),
            ):
                has_ended = chunk.finish_reason is not None
                yield chunk
        except Failure as failure:
            raise explained(failure, address=self._address, key=self._key) from failure
        if not has_ended:
            yield Chunk(finish_reason="interrupted")

    def _attempt(
        self, prompt: Prompt, sampling: Sampling, cancel: Cancel | None
    ) -> Generator[Chunk, None, None]:
        """One request, made again at once without what the server does not take."""
        while True:
            body = request_body(
                prompt.messages, model=self._address.model, sampling=sampling, dialect=self._dialect
            )
            for name in self._not_taken:
                body.pop(name, None)
            incoming = Incoming(sampling, num_prompt=len(prompt.ids))
            try:
                with closing(Connection(self._wire, self._address.at("chat/completions"), body)) as reply:
                    yield from self._receive(reply, incoming, cancel)
                return self._compare(incoming)
            except Refused as refusal:
                unwanted = {name for name in _OPTIONAL if name in body and name in refusal.said}
                if refusal.status not in (400, 422) or not unwanted:
                    raise
                self._not_taken |= unwanted
                self._notify(f"{self.info.name} takes no {', '.join(sorted(unwanted))}: it goes on without")

    def _receive(
        self, reply: Connection, incoming: Incoming, cancel: Cancel | None
    ) -> Generator[Chunk, None, None]:
        quiet_since = time.perf_counter()
        while True:
            if cancel is not None and cancel.is_set():
                yield incoming.end("interrupted")
                return
            try:
                event = reply.next_event(timeout_s=_LOOK_S)
            except EOFError:
                if not incoming.has_ended:
                    raise Broken("ended its reply without saying that it was complete") from None
                event = DONE
            if event is None:
                quiet_s = time.perf_counter() - quiet_since
                if incoming.has_ended and quiet_s > _AFTER_END_S:
                    event = DONE
                elif quiet_s > self._wire.timeout_s:
                    raise Stalled(f"sent nothing for {quiet_s:.0f} seconds")
                else:
                    continue
            quiet_since = time.perf_counter()
            if event == DONE:
                yield incoming.end()
                return
            chunk = incoming.take(read_delta(event))
            if chunk is not None:
                yield chunk
            if incoming.is_complete:
                yield incoming.end()
                return

    def _compare(self, incoming: Incoming) -> None:
        """Say once that a prompt had more tokens than counted: the budget is then too generous."""
        usage = incoming.usage
        if usage is None or self._has_told_miscount:
            return
        if usage.prompt_tokens > incoming.num_prompt * _MISCOUNT + _FRAME_TOKENS:
            self._has_told_miscount = True
            self._notify(
                f"{self.info.name} read {usage.prompt_tokens} tokens where {incoming.num_prompt} "
                "were counted; set model.tokenizer to its tokenizer, or lower model.context_tokens"
            )

    def _pause(self, seconds: float, cancel: Cancel | None) -> bool:
        """Wait; False as soon as the reply is not wanted any more."""
        for _ in range(ceil(seconds / _LOOK_S)):
            if cancel is not None and cancel.is_set():
                return False
            self._sleep(_LOOK_S)
        return True
