"""A model in this process as a `protocols.LanguageModel`.

    model = open_model(config.model)                    # dialog.engine.load
    for chunk in model.stream(prompt, sampling=Sampling(max_tokens=60), cache_key="c-42"):
        print(chunk.text, end="")

Thread-safe: one thread makes the replies of all conversations together
(`scheduler`). A reply owns its conversation's cache until it ends; a second
one on the same key starts from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from dialog.engine.adapted import Adapters
from dialog.engine.cache import Prefix, PrefixPool
from dialog.engine.choices import Choices
from dialog.engine.decoders import Decoders
from dialog.engine.detokenize import Detokenizer, StopStrings
from dialog.engine.forward import Forward
from dialog.engine.generate import Limits, chunks
from dialog.engine.request import Request
from dialog.engine.sampling import Sampler
from dialog.engine.scheduler import DEFAULT_QUEUE, DEFAULT_SLOTS, Scheduler
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.engine.turns import Turns
from dialog.errors import PromptTooLong
from dialog.protocols import Cancel, ChatTokenizer
from dialog.values import Chunk, ModelInfo, Prompt, Sampling, Segment, TokenScores

DEFAULT_CACHE_BYTES = 512 * 2**20


class LocalModel:
    """One loaded model, its tokenizer, and the prefixes of the conversations it serves.

    Args:
        end_ids: tokens that end a reply.
        cache_bytes: memory for prefixes of conversations; 0 reuses nothing.
        decoders: instruction decoders on `forward`, which is then theirs.
        adapters: what conversations may choose, on the same weights.
        merged_adapter: folder of the adapter that is in the weights themselves.
        slots: replies made at once, at least 1.
        queue: requests that may wait for a slot.
    """

    def __init__(
        self,
        forward: Forward[Any],
        tokenizer: HFChatTokenizer,
        *,
        info: ModelInfo,
        end_ids: frozenset[int],
        cache_bytes: int = DEFAULT_CACHE_BYTES,
        decoders: Decoders | None = None,
        adapters: Adapters | None = None,
        merged_adapter: str | None = None,
        slots: int = DEFAULT_SLOTS,
        queue: int = DEFAULT_QUEUE,
    ) -> None:
        self.info = info
        self.tokenizer: ChatTokenizer = tokenizer
        self.forward = forward
        self.decoders = decoders
        self.choices = Choices(forward, adapters=adapters, decoders=decoders, merged=merged_adapter)
        self.prefixes = PrefixPool(max_bytes=cache_bytes)
        self.end_ids = end_ids
        self._hidden_ids = tokenizer.special_ids
        self._turns = Turns()
        self.scheduler = Scheduler(forward, turns=self._turns, slots=slots, queue=queue)

    def stream(
        self,
        prompt: Prompt,
        *,
        sampling: Sampling,
        cache_key: str | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Chunk]:
        """Generate; nothing runs before the first `next()`.

        The reply ends with "length" at `max_tokens` or at the end of the context.

        Raises:
            PromptTooLong: the prompt leaves no room for one token.
            ModelBusy: too many requests wait already; raised by the first `next()`.
            ValueError: the prompt is empty.
        """
        self._check_fits(prompt, reserved=1)
        room = self.info.context_tokens - len(prompt.ids)
        limits = Limits(min(sampling.max_tokens, room), self.end_ids, cancel)
        return self._stream(prompt, sampling=sampling, cache_key=cache_key, limits=limits)

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[TokenScores]:
        """Teacher-forced log-probabilities; the prompt is read once for all continuations.

        An empty continuation has no tokens and total 0.

        Raises:
            PromptTooLong: prompt and a continuation together exceed the context.
        """
        encoded = [self.tokenizer.encode(text)[0] for text in continuations]
        self._check_fits(prompt, reserved=max((len(ids) for ids in encoded), default=0))
        prefix = self._prefix(None, prompt)
        with self._turns, prefix.extending(prompt.ids) as cache:
            first_1V = self.forward.next_logits(prompt.ids, cache)
        return [self._score_one(ids, prefix, prompt.ids, first_1V) for ids in encoded]

    def _stream(
        self, prompt: Prompt, *, sampling: Sampling, cache_key: str | None, limits: Limits
    ) -> Iterator[Chunk]:
        request = Request(
            prompt.ids,
            key=cache_key,
            sampler=Sampler(sampling),
            limits=limits,
            take=lambda: self._prefix(cache_key, prompt),
            give_back=lambda prefix: self.prefixes.put(cache_key, prefix),
        )
        try:
            pieces = chunks(
                self.scheduler.steps(request),
                detokenizer=Detokenizer(self.tokenizer.decode),
                stops=StopStrings(sampling.stop),
                hidden_ids=self._hidden_ids,
            )
            for index, chunk in enumerate(pieces):
                if index == 0:
                    first = {"prefill_s": request.prefill_s, "cached_tokens": request.cached_tokens}
                    chunk = chunk.model_copy(update=first)
                yield chunk
        finally:  # also when the reader leaves early
            request.leave()

    def attribute(
        self, prompt: Prompt, text: str, segments: Sequence[Segment], *, cache_key: str | None = None
    ) -> list[float] | None:
        """Share of each segment of the prompt in a reply, exact, by the decoder that gave it.

        None where no decoder is used in this conversation, or prompt and reply do not fit the context.
        """
        reply_ids = self.tokenizer.encode(text)[0]
        fits = len(prompt.ids) + len(reply_ids) <= self.info.context_tokens
        if self.decoders is None or self.decoders.of(cache_key) is None or not reply_ids or not fits:
            return None
        prefix = self._prefix(cache_key, prompt)
        try:
            with self._turns:
                return self.decoders.shares(prefix, prompt, reply_ids, segments)
        finally:
            self.prefixes.put(cache_key, prefix)

    def choose_decoder(self, cache_key: str, folder: Path | None) -> None:
        """Answer a conversation with the decoder of `folder` from its next turn on; None: with none.

        Raises:
            ModelError: the model was opened without a decoder, or this one is not its own.
        """
        self.choices.choose_decoder(cache_key, folder, model=self.info.name)

    def choose_adapter(self, cache_key: str, name: str | None) -> None:
        """Answer a conversation with one of `model.adapters` from its next turn on; None: with none.

        Raises:
            ModelError: there is none such, or the conversation's decoder does not stand on it.
        """
        self.choices.choose_adapter(cache_key, name, model=self.info.name)

    def in_use(self, cache_key: str | None) -> tuple[str, ...]:
        """Folders of the adapters and the decoder that a conversation is answered with."""
        return self.choices.in_use(cache_key)

    def _prefix(self, cache_key: str | None, prompt: Prompt) -> Prefix:
        """What was read of a conversation, to be gone on with by this prompt; out of the pool meanwhile."""
        return self.choices.prefix(self.prefixes, cache_key, prompt)

    def _score_one(
        self, ids: list[int], prefix: Prefix, prompt_ids: tuple[int, ...], first_1V: torch.Tensor
    ) -> TokenScores:
        logits_TV = first_1V
        if len(ids) > 1:
            if not prefix.crop(len(prompt_ids)):
                with self._turns, prefix.extending(prompt_ids) as cache:
                    self.forward.next_logits(prompt_ids, cache)
            with self._turns, prefix.extending(ids[:-1]) as cache:
                rest_TV = self.forward.all_logits(ids[:-1], cache)
            logits_TV = torch.cat([first_1V, rest_TV])
        logprobs_TV = logits_TV.log_softmax(-1)
        logprobs = (float(logprobs_TV[position, token]) for position, token in enumerate(ids))
        return TokenScores(ids=tuple(ids), logprobs=tuple(logprobs))

    def _check_fits(self, prompt: Prompt, *, reserved: int) -> None:
        if not prompt.ids:
            raise ValueError("the prompt is empty; render at least the generation prompt")
        needed = len(prompt.ids) + reserved
        if needed > self.info.context_tokens:
            raise PromptTooLong(needed=needed, limit=self.info.context_tokens)
