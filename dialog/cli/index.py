"""`instructrec index`: documents into the knowledge index, only what changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.calibrate import PLAIN, Either, calibrate
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.knowledge.records import IndexReport
    from dialog.settings import KnowledgeSection


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        cls=Either,
        help="Put documents into the knowledge index; calibrate it.",
    )
    verb(group, PLAIN)(index)
    verb(group, "calibrate")(calibrate)
    app.add_typer(group, name="index")


def index(
    run: Run,
    sources: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files and folders.")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove documents that are no longer among the paths.")
    ] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Index everything again.")] = False,
    tenant: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose these documents are; '' for everybody's."),
    ] = None,
    set_metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Put on every document, whatever it says; repeatable."),
    ] = None,
) -> None:
    """Put documents into the knowledge index; only changes cost work.

    See also: instructrec index calibrate --help
    """
    missing = [path for path in sources if not path.exists()]
    if missing and not prune:
        raise typer.BadParameter(f"{str(missing[0])!r} does not exist; name files and folders that do")
    from dialog.cli.arguments import pairs
    from dialog.cli.progress import progress
    from dialog.knowledge.index import build_index

    metadata = {name: values[-1] for name, values in pairs(set_metadata, option="--set-metadata").items()}
    config = run.config()
    with progress("indexing", shown=run.shows_progress) as advance:
        report = build_index(
            config.knowledge_path,
            sources,
            config.values.knowledge,
            prune=prune,
            rebuild=rebuild,
            tenant=tenant,
            metadata=metadata,
            progress=lambda done: advance(done.files_done, done.files_total),
        )
    if run.json:
        run.show_json(report)
    else:
        for skip in report.skipped:
            run.warn(f"{'read in part' if skip.in_part else 'skipped'} {skip.source}: {skip.reason}")
        for notice in report.notices:
            run.warn(f"{notice.source}: {notice.reason}")
        if not run.quiet:
            run.show(described(report))
        _remark_if_stale(run, config.knowledge_path, config.values.knowledge)
    if not (report.added or report.changed or report.removed or report.unchanged):
        raise typer.Exit(1)


def _remark_if_stale(run: Run, path: Path, section: KnowledgeSection) -> None:
    from dialog.knowledge.base import open_knowledge
    from dialog.knowledge.calibration import FILE_NAME

    if not (path / FILE_NAME).is_file():
        return
    with open_knowledge(path, section) as knowledge:
        standing = knowledge.calibrated()
        if standing and standing.is_stale:
            run.remark(f"{standing.why_stale}; calibrate again with: instructrec index calibrate")


def described(report: IndexReport) -> str:
    """What an indexing run did, for people."""
    parts = ("added", "changed", "removed", "unchanged")
    counts = ", ".join(f"{getattr(report, part)} {part}" for part in parts)
    num_in_part = sum(skip.in_part for skip in report.skipped)
    in_part = f" ({num_in_part} read in part)" if num_in_part else ""
    return (
        f"{counts}, {len(report.skipped) - num_in_part} skipped{in_part}; the index holds "
        f"{report.num_documents} documents in {report.num_chunks} passages ({report.seconds:.1f} s)"
    )
