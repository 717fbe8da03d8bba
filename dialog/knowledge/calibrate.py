"""Calibrate an index: questions asked of it, a confidence curve and a threshold fitted a language.

Given questions say themselves whether they are answerable. Without any, or
where one kind is missing in a language, the documents are asked about
themselves: questions made from passages are answerable, and unanswerable while
the passage's document, and whatever says nearly the same, is hidden; questions
foreign to any trade are unanswerable as well. A language with too few questions
keeps the default curve, and the notes say so.

    calibration = calibrate(Path("kb"), KnowledgeSection())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.abstain import default_curve
from dialog.knowledge.base import KnowledgeBase, open_knowledge
from dialog.knowledge.calibration import Calibration, LanguageFit, sketch, write_calibration
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.fitting import Judged, fit_curve
from dialog.knowledge.foreign import FOREIGN
from dialog.knowledge.questions import GivenQuestion, MadeQuestion, made_from, spread
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection
from dialog.values import Language

LANGUAGES: tuple[Language, ...] = ("en", "zh")
LEAST_QUESTIONS = 20
"""Of each kind in a language; with fewer the default curve is the better guess."""
_PULL_OF_MADE = 3.0
"""Made questions are no customers': they bend the default curve, those of a person (1) may turn it.

Chosen on doc2dial, kdconv and crosswoz, asked about with and without their documents.
"""
_PASSAGES = 150
"""Asked about, a language."""
_ALIKE = 0.93
"""Cosine from which another passage is taken to say the same as the one a question was made from."""
_NEIGHBOURS = 30
_TOP_K = 3


def calibrate(
    path: Path,
    section: KnowledgeSection,
    *,
    given: Sequence[GivenQuestion] | None = None,
    origin: str = "",
    embedder: Embedder | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Calibration:
    """Fit, and keep with the index at `path`.

    Args:
        path: the index.
        section: its settings.
        given: judged questions; None makes them all from the documents.
        origin: where the given ones come from, for whoever reads the result.
        embedder: instead of the one the section names.
        seed: which passages and words are asked about.
        progress: called with (questions asked, of how many).

    Raises:
        KnowledgeError: there is no index, it is empty, or no language has enough questions.
    """
    with open_knowledge(path, section, embedder=embedder) as knowledge:
        asked = _Asked(knowledge, path, seed=seed)
        try:
            judged, notes = _judged(asked, given, progress)
            chunk_ids = asked.catalog.chunk_ids()
        finally:
            asked.catalog.close()
        pull = _PULL_OF_MADE if given is None else 1.0
        fits: dict[Language, LanguageFit] = {}
        for language in LANGUAGES:
            found = _fit(judged[language], language=language, embedder=knowledge.manifest.embedder, pull=pull)
            if isinstance(found, str):
                notes.append(found)
            else:
                fits[language] = found
        if not fits:
            raise KnowledgeError(f"the index {str(path)!r} cannot be calibrated: {'; '.join(notes)}")
        calibration = Calibration(
            origin=origin or ("questions given" if given is not None else "made from the documents"),
            made=datetime.now(UTC),
            embedder_fingerprint=knowledge.manifest.embedder_fingerprint,
            num_chunks=len(chunk_ids),
            sketch=sketch(chunk_ids),
            languages=fits,
            notes=tuple(notes),
        )
        write_calibration(path, calibration)
        return calibration


def _fit(judged: Sequence[Judged], *, language: Language, embedder: str, pull: float) -> LanguageFit | str:
    """The fit of one language, or why there is none."""
    num_answerable = sum(one.is_answerable for one in judged)
    num_unanswerable = len(judged) - num_answerable
    if min(num_answerable, num_unanswerable) < LEAST_QUESTIONS:
        return (
            f"{language}: {num_answerable} answerable and {num_unanswerable} unanswerable questions are too "
            f"few ({LEAST_QUESTIONS} of each are needed); the default curve stays"
        )
    fitted = fit_curve(judged, prior=default_curve(language, embedder=embedder), pull=pull)
    return LanguageFit(
        curve=fitted.curve,
        threshold=fitted.threshold,
        figures=fitted.figures,
        num_answerable=num_answerable,
        num_unanswerable=num_unanswerable,
    )


def _judged(
    asked: _Asked,
    given: Sequence[GivenQuestion] | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[Language, list[Judged]], list[str]]:
    """Judged questions a language; where a kind is not given, made ones take its place."""
    notes: list[str] = []
    judged: dict[Language, list[Judged]] = {}
    for done, language in enumerate(LANGUAGES):
        if progress:
            progress(done, len(LANGUAGES))
        own = [one for one in given or () if ("en" if one.spoken == "und" else one.spoken) == language]
        judged[language] = [found for one in own if (found := asked.given(one))]
        kinds = {one.is_answerable for one in judged[language]}
        if given is not None and not own:
            continue
        if len(kinds) < 2:
            if given is not None:
                missing = "unanswerable" if True in kinds else "answerable"
                notes.append(
                    f"{language}: no {missing} questions were given; they were made from the documents"
                )
            judged[language] += [
                one for one in asked.made(language) if not kinds or one.is_answerable not in kinds
            ]
    if progress:
        progress(len(LANGUAGES), len(LANGUAGES))
    return judged, notes


class _Asked:
    """An index that questions are asked of, with and without some of its documents."""

    def __init__(self, knowledge: KnowledgeBase, path: Path, *, seed: int) -> None:
        self._knowledge = knowledge
        self._seed = seed
        self.catalog = Catalog(path / knowledge.manifest.store / "knowledge.db", read_only=True)
        rows = list(self.catalog.vectors())
        self._numbers = [number for number, _, _ in rows]
        self._matrix = np.frombuffer(b"".join(row[2] for row in rows), dtype=np.float32).reshape(
            len(rows), -1
        )

    def given(self, question: GivenQuestion) -> Judged | None:
        evidence = self._knowledge.evidence(question.question, top_k=_TOP_K, history=question.history)
        return Judged(evidence, question.answerable, question.question) if evidence else None

    def made(self, language: Language) -> Iterator[Judged]:
        """Made questions with their documents in reach and hidden, and foreign ones."""
        for question in self._questions(language):
            group = f"made {question.number}"
            with_it = self._knowledge.evidence(question.text, top_k=_TOP_K)
            hidden = self._saying_the_same(question.number)
            without = self._knowledge.evidence(question.text, top_k=_TOP_K, hidden=hidden)
            if with_it and without:
                yield Judged(with_it, is_answerable=True, group=group)
                yield Judged(without, is_answerable=False, group=group)
        for text in FOREIGN[language]:
            if found := self._knowledge.evidence(text, top_k=_TOP_K):
                yield Judged(found, is_answerable=False, group=text)

    def _questions(self, language: Language) -> Iterator[MadeQuestion]:
        wanted = spread(
            self._knowledge.visible(self.catalog.numbers_in(language)), limit=_PASSAGES, seed=self._seed
        )
        for start in range(0, len(wanted), 100):
            yield from made_from(self.catalog.chunks(wanted[start : start + 100]), seed=self._seed)

    def _saying_the_same(self, number: int) -> frozenset[str]:
        """The units (documents, FAQ entries) of a passage and of those nearly like it."""
        cosines = self._matrix @ self._matrix[self._numbers.index(number)]
        near = np.argsort(-cosines)[:_NEIGHBOURS]
        alike = [self._numbers[row] for row in near if cosines[row] >= _ALIKE]
        return frozenset(self.catalog.units([number, *alike]).values())
