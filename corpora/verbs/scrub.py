"""`data scrub`: transcripts without personal data, and a report to review what was done."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from corpora.scrub.report import Report


class StyleName(StrEnum):
    """What stands in for a find."""

    placeholders = "placeholders"
    surrogates = "surrogates"


def register(app: typer.Typer) -> None:
    verb(app)(scrub)


def scrub(
    run: Run,
    files: Annotated[list[Path], typer.Argument(metavar="IN...", help="Transcripts (JSONL); - is stdin.")],
    out: Annotated[Path, typer.Option("--out", metavar="OUT", help="The scrubbed transcripts, one file.")],
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.json|.html", help="What was replaced, for review."),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE.toml", help="Own patterns, names and allow-lists.")
    ] = None,
    style: Annotated[
        StyleName, typer.Option("--style", help="Typed placeholders, or made-up values that are nobody's.")
    ] = StyleName.placeholders,
    seed: Annotated[int, typer.Option("--seed", help="For surrogates: the same seed, the same values.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes at work.")] = 1,
    skip_bad: Annotated[
        int, typer.Option("--skip-bad", min=0, metavar="N", help="Bad lines that may be skipped.")
    ] = 0,
    show: Annotated[
        bool, typer.Option("--show", help="Put the found values themselves into the report. Keep it secret.")
    ] = False,
) -> None:
    """Replace personal data by typed placeholders: numbers, addresses, names, in Chinese and English."""
    from corpora.scrub.patterns import Rules, read_rules
    from corpora.scrub.report import Report, write_report
    from corpora.scrub.run import Job, scrub_files

    if report is not None and report.suffix.lower() not in (".json", ".html", ".htm"):
        raise typer.BadParameter(f"--report {str(report)!r}: end it in .json or .html")
    job = Job(
        style="surrogates" if style is StyleName.surrogates else "placeholders",
        seed=seed,
        rules=read_rules(rules) if rules is not None else Rules(),
        workers=workers,
        skip_bad=skip_bad,
    )
    done = scrub_files(files, out, job, report=Report(show=show))
    for bad in done.skipped:
        run.warn(f"skipped {bad}")
    if report is not None:
        write_report(report, done)
        run.remark(f"report in {report}")
    if run.json:
        run.show_json({**done.as_json(), "rules": _counts(done)})
    else:
        run.show(_told(done))


def _counts(report: Report) -> list[dict[str, object]]:
    return [{"kind": kind, "rule": rule, "count": n} for (kind, rule), n in sorted(report.counts.items())]


def _told(report: Report) -> str:
    from dialog.cli.output import table

    lines = f"{report.num_changed} of {report.num_conversations} conversations changed"
    rows = [(kind, str(count)) for kind, count in report.by_kind.items()]
    return f"{lines}\n{table(rows)}" if rows else lines
