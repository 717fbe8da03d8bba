"""`instructrec index calibrate`: the index's own confidence curves, beside `index PATH...`.

`Either` lets a verb take paths and have verbs of its own: a first argument
that names one of those is it, anything else is the verb's. A folder that is
called `calibrate` is indexed as `./calibrate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from dialog.cli.verb import Run

if TYPE_CHECKING:
    from dialog.knowledge.calibration import Calibration

PLAIN = "put"


class Either(TyperGroup):
    """A group whose command `PLAIN` is meant where no other is named; its help is the group's."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if args and args[0] in self.commands and args[0] != PLAIN:
            return super().make_context(info_name, args, parent, **extra)
        return self.commands[PLAIN].make_context(info_name, args, parent, **extra)


def calibrate(
    run: Run,
    questions: Annotated[
        Path | None,
        typer.Argument(
            metavar="QUESTIONS.jsonl",
            help='Lines {"question", "answerable": true|false, "language"?, "history"?}; '
            "without a file they are made from the documents.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which passages are asked about.")] = 0,
) -> None:
    """Fit how sure a search must be to answer, for this index, a language at a time."""
    if questions is not None and not questions.is_file():
        raise typer.BadParameter(f"{str(questions)!r} is no file; name a file of questions")
    from dialog.cli.progress import progress
    from dialog.knowledge.calibrate import calibrate as fit
    from dialog.knowledge.questions import read_questions

    config = run.config()
    given = read_questions(questions) if questions is not None else None
    with progress("asking", shown=run.shows_progress) as advance:
        found = fit(
            config.knowledge_path,
            config.values.knowledge,
            given=given,
            origin=questions.name if questions is not None else "",
            seed=seed,
            progress=advance,
        )
    if run.json:
        run.show_json(found.model_dump(mode="json", exclude={"sketch"}))
        return
    for note in found.notes:
        run.warn(note)
    if not run.quiet:
        run.show("\n".join(described(found).values()))


def described(found: Calibration) -> Mapping[str, str]:
    """A line a language, for people."""
    return {
        language: (
            f"{language}: answers from confidence {fit.threshold:.2f}; of {fit.num_answerable} answerable "
            f"questions {fit.figures.answerable_answered:.0%} are answered, of {fit.num_unanswerable} "
            f"unanswerable {fit.figures.unanswerable_abstained:.0%} are not; AUROC {fit.figures.auroc:.3f}, "
            f"calibration error {fit.figures.calibration_error:.3f} ({found.origin})"
        )
        for language, fit in found.languages.items()
    }
