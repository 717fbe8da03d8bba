"""Sentiment of Chinese reviews and news: rules, a logistic regression, the tuned encoder, a language model.

    python -m benchmarks.skills.sentiment [--sets ...] [--folder DIR] [--epochs N] [--frozen N]
        [--model NAME --texts N]

Reported on the sets' own dev parts; a tenth of train stops, calibrates and chooses. The rules
know neutral, the sets do not: here the likelier of the two others counts. `--model` asks a
language model, on the first N texts, with each wording and each order of the labels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import markdown, save
from benchmarks.skills._asked import asked
from benchmarks.skills._figures import interval, macro_f1, share
from benchmarks.skills._labelled import LabelledSet, available, financial_news, reviews, trained, tuned
from skills.choosing import expected_calibration_error
from skills.sentiment import Judge, RuleJudge, Sentiment, TrainedJudge
from training.encoder.options import LabelOptions

SETS = {
    "zh_finnews_sentiment": financial_news,
    "chnsenticorp_htl": partial(reviews, "chnsenticorp_htl"),
    "online_shopping_10_cats": partial(reviews, "online_shopping_10_cats"),
    "waimai_10k": partial(reviews, "waimai_10k"),
}
HEADER = ("set", "how", "accuracy", "macro-F1", "ECE", "training")


def measured(one: LabelledSet, how: str, judge: Judge, *, card: Mapping[str, Any] | None) -> dict[str, Any]:
    """Figures of one judge on the reported part."""
    pairs = [_likelier(found) for found in judge([text.text for text in one.test])]
    labels = [text.label for text in one.test]
    right = [name == label for (name, _), label in zip(pairs, labels, strict=True)]
    return {
        "set": one.name,
        "how": how,
        "test": one.about_test,
        "accuracy": interval(right),
        "macro_f1": macro_f1([name for name, _ in pairs], labels),
        "ece": expected_calibration_error([sure for _, sure in pairs], right),
        "card": card,
    }


def _likelier(found: Mapping[Sentiment, float]) -> tuple[Sentiment, float]:
    """Praise or blame, with its share of the two."""
    positive, negative = found["positive"], found["negative"]
    sure = max(positive, negative) / (positive + negative)
    return ("positive" if positive >= negative else "negative"), sure


def row(found: Mapping[str, Any]) -> tuple[object, ...]:
    ece = found["ece"]
    figures = (share(found["accuracy"]), share(found["macro_f1"]), "n/a" if ece is None else f"{ece:.3f}")
    return (found["set"], found["how"], *figures, trained(found["card"]))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--folder", type=Path, help="keep the labellers here and use them again")
    parser.add_argument("--epochs", type=int, default=LabelOptions().epochs)
    parser.add_argument("--frozen", type=int, default=LabelOptions().num_frozen)
    parser.add_argument("--untuned", action="store_true", help="leave out the encoder's training (minutes)")
    parser.add_argument("--model", help="also ask this language model")
    parser.add_argument("--texts", type=int, default=100, help="how many texts it is asked about")
    options = parser.parse_args(arguments)
    found: list[dict[str, Any]] = []
    sensitivity: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for one in available(*(SETS[name] for name in options.sets)):
            found.append(measured(one, "rules", RuleJudge(), card=None))
            if options.model:
                sensitivity[one.name] = asked(one, options.model, num_texts=options.texts)
            ways = {"logistic regression": LabelOptions(num_frozen=12)}
            if not options.untuned:
                ways["tuned encoder"] = LabelOptions(epochs=options.epochs, num_frozen=options.frozen)
            for how, chosen in ways.items():
                place = folder / f"{one.name}-{how.split()[0]}"
                card = tuned(one, place, chosen)
                found.append(measured(one, how, TrainedJudge.load(place), card=card))
    if found:
        values = {"rows": found, "asked": sensitivity}
        save("skills-sentiment", values, table=markdown(HEADER, map(row, found)))
    for name, figures in sensitivity.items():
        print(f"{name}: {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
