"""`instructrec replay`: agents on conversations that took place, and a verdict."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.cli.replay_input import Input
    from dialog.replay.agents.answering import ReplayAgent
    from dialog.replay.outcome import Outcome
    from dialog.replay.replaying import Judging
    from dialog.replay.saved import Label
    from dialog.replay.scoring import Scored


def register(app: typer.Typer) -> None:
    verb(app)(replay)


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
        Literal["forced"], typer.Option("--mode", help="forced: every turn from the history as it was.")
    ] = "forced",
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
    """Replay conversations with one agent or two, and give a verdict."""
    from dialog.cli.replay_input import judging_of, read_input

    judging = judging_of(
        metrics,
        fail_on or [],
        is_comparison=_is_comparison(against, rescore),
        embedder=lambda: run.config().values.knowledge.embedder,
    )
    given = read_input(transcripts, skip_bad=skip_bad, run=run) if transcripts else None
    if rescore is not None:
        if only_failed or agent is not None or against is not None:
            raise typer.BadParameter("--rescore asks no agent; leave --agent, --against, --only-failed out")
        scored, folder = _rescored(rescore, report_dir or rescore, judging, given)
    elif given is None:
        raise typer.BadParameter("give TRANSCRIPTS, or --rescore RUN")
    else:
        if agent is not None and run.config_file is not None:
            raise typer.BadParameter("--agent and --config exclude each other; both say what A is")
        with ExitStack() as stack:
            agents = _opened(run, agent, against, judging=judging, explain=explain, stack=stack)
            scored, folder = _replayed(
                run,
                given,
                agents,
                judging=judging,
                seeds=tuple(range(seeds)),
                workers=workers,
                report_dir=report_dir,
                only_failed=only_failed,
            )
    _tell(run, scored.outcome, folder)
    raise typer.Exit(scored.outcome.exit_code)


def _is_comparison(against: Path | None, rescore: Path | None) -> bool:
    if rescore is None:
        return against is not None
    from dialog.replay.folder import read_manifest

    return read_manifest(rescore).fingerprints.b is not None


def _opened(
    run: Run,
    agent: Path | None,
    against: Path | None,
    *,
    judging: Judging,
    explain: bool,
    stack: ExitStack,
) -> dict[Label, ReplayAgent]:
    from dialog.cli.replay_input import needs_logprobs
    from dialog.replay.agents.described import open_agent

    paths: dict[Label, Path | None] = {"a": agent or run.config_file}
    if against is not None:
        paths["b"] = against
    agents: dict[Label, ReplayAgent] = {}
    for label, path in paths.items():
        agents[label] = open_agent(
            path,
            overrides=run.overrides,
            scores=needs_logprobs(judging),
            explains=explain,
            progress=run.remark if run.shows_progress else None,
        )
        stack.callback(agents[label].close)
    return agents


def _replayed(
    run: Run,
    given: Input,
    agents: dict[Label, ReplayAgent],
    *,
    judging: Judging,
    seeds: tuple[int, ...],
    workers: int,
    report_dir: Path | None,
    only_failed: bool,
) -> tuple[Scored, Path]:
    from dialog.cli.progress import progress
    from dialog.home import data_dir
    from dialog.replay.folder import Manifest, RunFolder, hash_of, key_of
    from dialog.replay.outcome import Fingerprints
    from dialog.replay.replaying import replay as replay_all

    fingerprints = {label: dict(agent.fingerprint) for label, agent in agents.items()}
    manifest = Manifest(
        seeds=seeds,
        questions=hash_of(given.turns),
        num_unasked=given.num_unasked,
        fingerprints=Fingerprints(a=fingerprints["a"], b=fingerprints.get("b")),
        data=given.data,
    )
    path = report_dir or data_dir() / "replays" / key_of(manifest)
    with RunFolder(path) as folder, progress("replaying", shown=run.shows_progress) as advance:
        scored = replay_all(
            folder,
            manifest,
            given.turns,
            agents,
            judging=judging,
            workers=workers,
            only_failed=only_failed,
            notes=given.notes,
            say=run.warn,
            advance=advance,
        )
    return scored, path


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
