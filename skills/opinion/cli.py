"""`instructrec opinion`: a stream of news into alarms, a dashboard and a digest."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from skills.opinion.hooks import Hook

app = typer.Typer(help="Watch what is written about companies.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Watch what is written about companies."""


@verb(app, "watch")
def watch(
    run: Run,
    news: Annotated[Path, typer.Argument(metavar="FILE", help="News: JSONL, CSV, TSV or RSS.")],
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.html", help="The dashboard.")] = None,
    language: Annotated[Literal["en", "zh"], typer.Option("--language", help="Of the dashboard.")] = "en",
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FILE.json", help="Go on from here, and save where it stood."),
    ] = None,
    still_open: Annotated[
        bool, typer.Option("--open", help="The last day is not over: more news of it will follow.")
    ] = False,
    command: Annotated[
        str | None,
        typer.Option("--command", metavar="'NAME ARG...'", help="Started for each alarm, JSON on its stdin."),
    ] = None,
    webhook: Annotated[str | None, typer.Option("--webhook", metavar="URL", help="Told each alarm.")] = None,
) -> None:
    """Judge news, compare each company and topic with its past, and ring where a limit is broken."""
    from corpora.files import replacing
    from dialog.cli.progress import progress
    from dialog.opening import Opening
    from skills.opinion.dashboard import write_dashboard
    from skills.opinion.digest import digest
    from skills.opinion.hooks import deliver
    from skills.opinion.reading import read_news
    from skills.opinion.replay import load_state, replay, sense_of, watch_of

    hooks = _hooks(command, webhook)
    read, skipped = read_news(news)
    for line in skipped:
        run.warn(f"skipped {line}")
    parts = Opening(run.config(), model=None, retriever=None, store=None, skills=None, progress=None)
    with closing(parts):
        options = parts.options("opinion")
        sense, notes = sense_of(options, parts)
        limits = watch_of(options)
        with progress("judging", shown=run.shows_progress) as advance:
            told = replay(
                read,
                sense,
                limits,
                state=load_state(state) if state is not None and state.exists() else None,
                is_last=not still_open,
                advance=advance,
            )
    if state is not None:
        with replacing(state) as file:
            file.write(told.state.model_dump_json().encode("utf-8"))
    for failure in deliver(told.alarms, hooks):
        run.warn(failure)
    if out is not None:
        entries = digest(told.alarms, language=language)
        notes += [f"{len(skipped)} lines were skipped"] if skipped else []
        write_dashboard(out, told.state, told.alarms, entries, limits, language=language, notes=notes)
    for note in notes:
        run.warn(note)
    if run.json:
        run.show_json([alarm.model_dump(mode="json") for alarm in told.alarms])
        return
    for alarm in told.alarms:
        topic = f" / {alarm.topic}" if alarm.topic else ""
        counted = f"{alarm.count} (expected {alarm.expected:.2f})"
        run.show(f"{alarm.day} {alarm.company}{topic}: {alarm.check}, {counted}")
    run.remark(f"{told.state.num_news} news, {len(told.alarms)} alarms{f', {out}' if out else ''}")


def _hooks(command: str | None, webhook: str | None) -> list[Hook]:
    from skills.opinion.hooks import Command, Webhook

    try:
        found: list[Hook] = [Command(tuple(shlex.split(command)))] if command is not None else []
        return found + ([Webhook(webhook)] if webhook is not None else [])
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
