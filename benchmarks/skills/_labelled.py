"""Labelled sets for the skills' benchmarks, their parts, and the encoders that are tuned on them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import DATA
from training.encoder.options import LabelOptions
from training.encoder.texts import LabelledText, Parts, divided
from training.encoder.tuning import LabelTuning
from training.run import Report


@dataclass(frozen=True)
class LabelledSet:
    """Texts to train and choose on, texts to report on; `none` is the label of texts without one.

    Attributes:
        about_test: where the reported part comes from.
    """

    name: str
    train: Sequence[LabelledText]
    test: Sequence[LabelledText]
    about_test: str
    none: tuple[str, ...] = ()

    def parts(self, seed: int = 0) -> Parts:
        """What is trained on and what stopping, temperature and thresholds are fitted on."""
        return divided(self.train, none=self.none, share=0.1, seed=seed)


def banking77() -> LabelledSet:
    rows = _table(DATA / "banking77" / "train.tsv.gz")
    texts = [(row["id"], LabelledText(row["text"].strip(), row["category"])) for row in rows]
    return LabelledSet(
        "banking77",
        [text for key, text in texts if _hash(key) % 5 != 4],
        [text for key, text in texts if _hash(key) % 5 == 4],
        "a seeded fifth of train",
    )


def clinc150() -> LabelledSet:
    path = DATA / "clinc150" / "data_full_train_val.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = json.load(file)

    def texts(*names: str) -> list[LabelledText]:
        return [LabelledText(text, label) for name in names for text, label in found[name]]

    return LabelledSet(
        "clinc150", texts("train", "oos_train"), texts("val", "oos_val"), "val and oos_val", none=("oos",)
    )


def reviews(name: str) -> LabelledSet:
    """One of zh_sentiment's: waimai_10k, chnsenticorp_htl, online_shopping_10_cats."""
    labels = {"1": "positive", "0": "negative"}
    train, test = (
        [
            LabelledText(row["review"].strip(), labels[row["label"]])
            for row in _table(DATA / "zh_sentiment" / f"{name}_{part}.tsv.gz")
        ]
        for part in ("train", "dev")
    )
    return LabelledSet(name, train, test, "dev")


def financial_news() -> LabelledSet:
    """Headline and the first 80 characters of the body, as the plain baseline was given."""
    labels = {"1": "positive", "0": "negative"}
    train, test = (
        [
            LabelledText(f"{row['标题'] or ''} {(row['正文'] or '')[:80]}".strip(), labels[row["正负面"]])
            for row in _table(DATA / "zh_finnews_sentiment" / f"{part}.tsv.gz")
        ]
        for part in ("train", "dev")
    )
    return LabelledSet("zh_finnews_sentiment", train, test, "dev")


class Seen:
    """Looks on and prints an epoch a line."""

    def step(self, step: int, num_steps: int, loss: float) -> None:
        pass

    def report(self, report: Report) -> None:
        right = report.besides.get("accuracy")
        print(f"  epoch {report.epoch:.0f}: loss {report.train_loss:.3f}, held out {right}", flush=True)

    def remark(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def wants_to_stop(self) -> bool:
        return False


def tuned(one: LabelledSet, folder: Path, options: LabelOptions) -> Mapping[str, Any]:
    """The card of the labeller in `folder`, trained now if it is not there; processor seconds with it."""
    card = folder / "training.json"
    if not card.is_file():
        before = time.process_time()
        print(f"{one.name}: training {folder.name}", flush=True)
        LabelTuning(one.parts(), options, watch=Seen()).into(folder, resume=(folder / "run.json").is_file())
        (folder / "cpu_s.json").write_text(json.dumps(time.process_time() - before), encoding="utf-8")
    found: dict[str, Any] = json.loads(card.read_text(encoding="utf-8"))
    del found["labels"], found["data"]
    cpu = folder / "cpu_s.json"
    return found | {"cpu_s": json.loads(cpu.read_text(encoding="utf-8")) if cpu.is_file() else None}


def trained(card: Mapping[str, Any] | None) -> str:
    """`4 epochs, 320 CPU s`."""
    if card is None:
        return ""
    num_epochs = len(card["reports"])
    seconds = "" if card["cpu_s"] is None else f"{card['cpu_s']:.0f} CPU s"
    return f"{num_epochs} epochs, {seconds}" if num_epochs else seconds


def available(*makers: Callable[[], LabelledSet]) -> Iterator[LabelledSet]:
    """The sets whose files are there; the others are named."""
    for maker in makers:
        try:
            yield maker()
        except FileNotFoundError as error:
            print(f"skipped: {error.filename} is not there")


def _table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _hash(key: str) -> int:
    return int(hashlib.sha256(key.encode()).hexdigest(), 16)
