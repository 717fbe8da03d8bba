"""A language model asked for a sentiment: what its answer depends on besides the text."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.skills._labelled import LabelledSet
from dialog.engine.load import open_model
from dialog.settings import ModelSection
from skills.choosing import Chooser, Wording, expected_calibration_error
from skills.choosing.measures import changed_by_order
from skills.sentiment.judging import NAMES
from skills.wordings import load


def asked(one: LabelledSet, model: str, *, num_texts: int) -> dict[str, Any]:
    """Accuracy a wording, how many answers change with the labels' order, and calibration."""
    texts = one.test[:num_texts]
    names = {label: NAMES["zh"][label] for label in ("positive", "negative")}
    opened = open_model(ModelSection(name=model))
    found: dict[str, Any] = {"texts": len(texts), "wordings": []}
    for ask in load("sentiment").texts("judge", "zh"):
        wording = Wording(ask, blank="无", before="", joint="、")
        orders = [
            [Chooser(opened, wording, num_orders=1).choose(text.text, order) for text in texts]
            for order in (list(names.values()), list(reversed(names.values())))
        ]
        chooser = Chooser(opened, wording, num_orders=2)
        both = [chooser.choose(text.text, list(names.values())) for text in texts]
        right = [choice.ranked[0][0] == names[text.label] for choice, text in zip(both, texts, strict=True)]
        found["wordings"].append(
            {
                "accuracy": statistics.fmean(right),
                "changed_by_order": changed_by_order(
                    [[choice.ranked[0][0] for choice in pair] for pair in zip(*orders, strict=True)]
                ),
                "ece": expected_calibration_error([choice.ranked[0][1] for choice in both], right),
            }
        )
    accuracies = [wording["accuracy"] for wording in found["wordings"]]
    return found | {"spread_over_wordings": max(accuracies) - min(accuracies)}
