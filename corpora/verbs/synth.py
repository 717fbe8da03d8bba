"""`instructrec data synth`: instruction conversations made from documents, marked as made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpora.verbs.options import embedder_of
from dialog.cli.verb import Run, setting, verb

if TYPE_CHECKING:
    from corpora.synth.run import Report
    from corpora.synth.wording import ModelWording


def register(app: typer.Typer) -> None:
    verb(app, "synth")(synth)


def synth(
    run: Run,
    documents: Annotated[
        list[Path], typer.Argument(metavar="DOC...", help="Documents or folders, as for index.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.jsonl", help="The made transcripts.")],
    variants: Annotated[
        int, typer.Option("--variants", min=1, max=20, metavar="N", help="Conversations a passage.")
    ] = 2,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="Ask about the first N passages only.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="Let this model word the questions."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other conversations.")] = 0,
) -> None:
    """Make conversations from documents: questions, follow-ups, unanswerables; answers are quoted."""
    from corpora.synth.run import Synthesis, synthesise

    report = synthesise(
        documents,
        out,
        Synthesis(variants=variants, limit=limit, seed=seed),
        embedder=embedder_of(run),
        section=run.config().values.knowledge,
        wording=_wording(run, model) if model else None,
    )
    for skip in report.skipped:
        run.warn(f"{skip.source} {skip.reason}")
    if run.json:
        run.show_json(_as_json(report, out))
        return
    for reason, num in sorted(report.dropped.items()):
        if num:
            run.remark(f"thrown out: {reason} ({num} times)")
    if report.num_unworded:
        run.remark(f"thrown out: the model wrote no question ({report.num_unworded} times)")
    told = ", ".join(f"{num} {kind}" for kind, num in sorted(report.kinds.items()))
    run.remark(f"{report.num_written} of {report.num_made} made conversations in {out}: {told}")


def _wording(run: Run, name: str) -> ModelWording:
    from corpora.synth.wording import ModelWording
    from dialog.opening import Opening

    config = run.config(setting("model.name", name))
    progress = run.remark if run.shows_progress else None
    opening = Opening(config, model=None, retriever=None, store=None, skills=(), progress=progress)
    return ModelWording(opening.model, name=name)


def _as_json(report: Report, out: Path) -> dict[str, object]:
    return {
        "out": str(out),
        "topics": report.num_topics,
        "unusable_passages": report.num_unusable,
        "made": report.num_made,
        "without_question": report.num_unworded,
        "conversations": report.num_written,
        "kinds": dict(sorted(report.kinds.items())),
        "dropped": {reason: num for reason, num in sorted(report.dropped.items()) if num},
        "skipped": [{"source": one.source, "reason": one.reason} for one in report.skipped],
    }
