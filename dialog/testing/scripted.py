"""A language model that says what it is told to: for tests of everything above the engine.

model = ScriptedModel(lambda prompt: "No." if "refund" in prompt else "Yes.", languages=("en", "zh"))
model.prompts[-1].text        # what it was shown
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from dialog.errors import ModelError, PromptTooLong
from dialog.protocols import Cancel, ChatTokenizer
from dialog.testing.words import WordTokenizer
from dialog.values import Chunk, FinishReason, Language, ModelInfo, Prompt, Sampling, TokenScores

Script = Sequence[str] | Callable[[str], str]


class ScriptedModel:
    """A `protocols.LanguageModel` over a script.

    Args:
        script: answers in the order of the calls, or a function of the prompt's text.
        languages: what `info.languages` says it writes.
        context_tokens: prompts that leave no room for a token raise PromptTooLong.
        piece_chars: length of the streamed pieces.
        fail_with: raised by `stream` after `fail_after` pieces.
    """

    def __init__(
        self,
        script: Script = ("Yes.",),
        *,
        languages: Sequence[Language] = ("en", "zh"),
        context_tokens: int = 8192,
        piece_chars: int = 3,
        fail_with: Exception | None = None,
        fail_after: int = 0,
        tokenizer: ChatTokenizer | None = None,
    ) -> None:
        self.tokenizer: ChatTokenizer = tokenizer or WordTokenizer()
        self.info = ModelInfo(
            name="scripted",
            fingerprint="scripted",
            context_tokens=context_tokens,
            template_fingerprint=self.tokenizer.fingerprint,
            languages=tuple(languages),
        )
        self.prompts: list[Prompt] = []
        self.samplings: list[Sampling] = []
        self._script = script
        self._piece_chars = piece_chars
        self._fail_with = fail_with
        self._fail_after = fail_after
        self._seen: dict[str, tuple[int, ...]] = {}
        self._lock = Lock()

    def stream(
        self,
        prompt: Prompt,
        *,
        sampling: Sampling,
        cache_key: str | None = None,
        cancel: Cancel | None = None,
    ) -> Iterator[Chunk]:
        if len(prompt.ids) + 1 > self.info.context_tokens:
            raise PromptTooLong(needed=len(prompt.ids) + 1, limit=self.info.context_tokens)
        with self._lock:
            call = len(self.prompts)
            self.prompts.append(prompt)
            cached_tokens = self._remember(cache_key, prompt.ids)
        answer = self._answer(prompt, call)
        return self._chunks(answer, sampling=sampling, cancel=cancel, cached_tokens=cached_tokens)

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[TokenScores]:
        """-0.1 for a token that occurs in the prompt, -3 for one that does not."""
        known = set(prompt.ids)
        scores: list[TokenScores] = []
        for continuation in continuations:
            ids, _ = self.tokenizer.encode(continuation)
            logprobs = tuple(-0.1 if token in known else -3.0 for token in ids)
            scores.append(TokenScores(ids=tuple(ids), logprobs=logprobs))
        return scores

    def _answer(self, prompt: Prompt, call: int) -> str:
        if callable(self._script):
            return self._script(prompt.text)
        if call >= len(self._script):
            raise ModelError(f"the script has {len(self._script)} answers and this is call {call + 1}")
        return self._script[call]

    def _remember(self, cache_key: str | None, ids: tuple[int, ...]) -> int:
        if cache_key is None:
            return 0
        before = self._seen.get(cache_key, ())
        self._seen[cache_key] = ids
        pairs = zip(before, ids, strict=False)
        return next((i for i, (old, new) in enumerate(pairs) if old != new), min(len(before), len(ids)))

    def _chunks(
        self, answer: str, *, sampling: Sampling, cancel: Cancel | None, cached_tokens: int
    ) -> Iterator[Chunk]:
        self.samplings.append(sampling)
        text, finish_reason = self._cut(answer, sampling)
        prefill_s: float | None = 0.0
        cached: int | None = cached_tokens
        for index, start in enumerate(range(0, len(text), self._piece_chars)):
            if self._fail_with is not None and index >= self._fail_after:
                raise self._fail_with
            if cancel is not None and cancel.is_set():
                finish_reason = "interrupted"
                break
            piece = text[start : start + self._piece_chars]
            ids, _ = self.tokenizer.encode(piece)
            yield Chunk(text=piece, ids=tuple(ids), prefill_s=prefill_s, cached_tokens=cached)
            prefill_s = cached = None
        if self._fail_with is not None:
            raise self._fail_with
        yield Chunk(finish_reason=finish_reason, prefill_s=prefill_s, cached_tokens=cached)

    def _cut(self, answer: str, sampling: Sampling) -> tuple[str, FinishReason]:
        ends = [answer.find(stop) for stop in sampling.stop if stop in answer]
        if ends:
            answer = answer[: min(ends)]
        _, spans = self.tokenizer.encode(answer)
        if len(spans) > sampling.max_tokens:
            return answer[: spans[sampling.max_tokens - 1][1]], "length"
        return answer, "stop"
