"""`instructrec replay`: agents on conversations that took place, and a verdict."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dialog.cli.calibrate import PLAIN, Either
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.cli.replay_input import Input
    from dialog.replay.outcome import Outcome
    from dialog.replay.replaying import Judging
    from dialog.replay.scoring import Scored


def register(app: typer.Typer) -> None:
    from dialog.cli import replay_promote, replay_record

    group = typer.Typer(cls=Either)
    verb(group, PLAIN)(replay)
    replay_record.register(group)
    replay_promote.register(group)
    app.add_typer(
        group, name="replay", help="Would the agent have done better: answer conversations anew, and judge."
    )


def replay(
    run: Run,
    transcripts: Annotated[
        list[str] | None, typer.Argument(metavar="TRANSCRIPTS...", help="JSONL files of conversations.")
    ] = None,
    agent: Annotated[
        Path | None,
        typer.Option("--agent", metavar="A.toml", help="Agent A; else the usual configuration."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="B.toml", help="Agent B, to compare A with.")
    ] = None,
    mode: Annotated[
        Literal["forced", "free"],
        typer.Option(
            "--mode", help="forced: every turn from the history as it was; free: with a scripted user."
        ),
    ] = "forced",
    user: Annotated[
        Path | None,
        typer.Option("--user", metavar="U.toml", help="Free: its model plays the user, instead of rules."),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment", metavar="MODULE:CALLABLE", help="Free: what agents act on, and are judged by."
        ),
    ] = None,
    max_turns: Annotated[
        int, typer.Option("--max-turns", min=1, max=1000, help="Free: a conversation ends after so many.")
    ] = 20,
    gap_to: Annotated[
        Path | None,
        typer.Option("--gap-to", metavar="RUN", help="Free: a forced replay of A, to be compared with."),
    ] = None,
    metrics: Annotated[
        str | None, typer.Option("--metrics", metavar="M,...", help="What to compute; else the default ones.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EXPR",
            help="What must not be: p95_ms>800 about A, success<-0.02@95 about A - B; may be repeated.",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="How often each turn is asked.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Conversations at once.")] = 1,
    report_dir: Annotated[
        Path | None, typer.Option("--report-dir", metavar="DIR", help="Where answers and reports go.")
    ] = None,
    rescore: Annotated[
        Path | None,
        typer.Option("--rescore", metavar="RUN", help="Score an earlier run's answers again; asks no agent."),
    ] = None,
    only_failed: Annotated[
        bool, typer.Option("--only-failed", help="Ask only failed turns of an earlier run again.")
    ] = False,
    skip_bad: Annotated[
        int, typer.Option("--skip-bad", min=0, metavar="N", help="Bad lines that may be skipped.")
    ] = 0,
    explain: Annotated[
        bool, typer.Option("--explain", help="Measure what each reply rests on; takes several times as long.")
    ] = False,
) -> None:
    """Replay conversations with one agent or two, and give a verdict.

    Further verbs: replay record, replay promote, replay rollback.
    """
    from dialog.cli.replay_input import judging_of, read_input, read_tasks
    from dialog.cli.replay_running import Asking, open_playing, opened, played, replayed

    if mode == "forced" and (user or environment or gap_to):
        raise typer.BadParameter("--user, --environment and --gap-to belong to --mode free")
    judging = judging_of(
        metrics,
        fail_on or [],
        is_comparison=_is_comparison(against, rescore),
        seeds=seeds,
        embedder=lambda: run.config().values.knowledge.embedder,
    )
    if rescore is not None:
        if only_failed or agent is not None or against is not None:
            raise typer.BadParameter("--rescore asks no agent; leave --agent, --against, --only-failed out")
        given = read_input(transcripts, skip_bad=skip_bad, run=run) if transcripts else None
        scored, folder = _rescored(rescore, report_dir or rescore, judging, given)
    elif not transcripts:
        raise typer.BadParameter("give TRANSCRIPTS, or --rescore RUN")
    else:
        if agent is not None and run.config_file is not None:
            raise typer.BadParameter("--agent and --config exclude each other; both say what A is")
        asking = Asking(
            judging=judging,
            seeds=tuple(range(seeds)),
            workers=workers,
            report_dir=report_dir,
            only_failed=only_failed,
        )
        with ExitStack() as stack:
            if mode == "free":
                tasks = read_tasks(transcripts, skip_bad=skip_bad, run=run)
                playing = open_playing(
                    run, user, environment, max_turns=max_turns, gap_to=gap_to, stack=stack
                )
                agents = opened(
                    run, agent, against, judging=judging, explain=explain, tools=playing.tools, stack=stack
                )
                scored, folder = played(run, tasks, agents, asking, playing)
            else:
                questions = read_input(transcripts, skip_bad=skip_bad, run=run)
                agents = opened(run, agent, against, judging=judging, explain=explain, tools=(), stack=stack)
                scored, folder = replayed(run, questions, agents, asking)
    _tell(run, scored.outcome, folder)
    raise typer.Exit(scored.outcome.exit_code)


def _is_comparison(against: Path | None, rescore: Path | None) -> bool:
    if rescore is None:
        return against is not None
    from dialog.replay.folder import read_manifest

    return read_manifest(rescore).fingerprints.b is not None


def _rescored(source: Path, into: Path, judging: Judging, given: Input | None) -> tuple[Scored, Path]:
    from dialog.replay.replaying import rescore

    turns, notes = (given.turns, given.notes) if given is not None else (None, ())
    return rescore(source, judging=judging, into=into, turns=turns, notes=notes), into


def _tell(run: Run, outcome: Outcome, folder: Path) -> None:
    if run.json:
        run.show_json(outcome)
    else:
        from dialog.cli.replay_output import summary

        run.show(summary(outcome))
    for note in outcome.notes:
        run.warn(f"note: {note}")
    run.remark(f"report: {folder / 'report.html'}")
