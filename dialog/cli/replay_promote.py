"""`instructrec replay promote` and `rollback`: what passes its gates goes live, and can be taken back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from dialog.cli.verb import Run, verb
from dialog.home import FILE_NAME

Live = Annotated[
    Path, typer.Option("--live", metavar="LIVE.toml", help="The configuration that is live; it is rewritten.")
]


def register(group: typer.Typer) -> None:
    verb(group, "promote")(promote)
    verb(group, "rollback")(rollback)


def promote(
    run: Run,
    transcripts: Annotated[
        list[str], typer.Argument(metavar="TRANSCRIPTS...", help="JSONL files of conversations.")
    ],
    agent: Annotated[Path, typer.Option("--agent", metavar="NEW.toml", help="What is to go live: A.")],
    fail_on: Annotated[
        list[str], typer.Option(metavar="EXPR", help="What must not be, as for `replay`; at least one.")
    ],
    live: Live = Path(FILE_NAME),
    metrics: Annotated[
        str | None, typer.Option("--metrics", metavar="M,...", help="What to compute; else the default ones.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1000, help="How often each turn is asked.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Conversations at once.")] = 1,
    report_dir: Annotated[
        Path | None, typer.Option("--report-dir", metavar="DIR", help="Where answers and reports go.")
    ] = None,
) -> None:
    """Replay a new configuration (A) against the live one (B); if all gates hold, make it live."""
    from dialog.cli.replay_input import judging_of, read_input
    from dialog.cli.replay_output import summary
    from dialog.cli.replay_running import Asking, opened, replayed
    from dialog.replay import promotion
    from dialog.replay.agents.described import as_config

    if run.config_file is not None or run.overrides:
        raise typer.BadParameter("--config and --set do not go live; write NEW.toml as it is to be")
    for path in (agent, live):
        if as_config(path) is None:
            raise typer.BadParameter(f"{path} is a command or a callable; only configurations go live")
    judging = judging_of(
        metrics,
        fail_on,
        is_comparison=True,
        seeds=seeds,
        embedder=lambda: run.config().values.knowledge.embedder,
    )
    asking = Asking(judging, tuple(range(seeds)), workers, report_dir, only_failed=False)
    given = read_input(transcripts, skip_bad=0, run=run)
    with ExitStack() as stack:
        agents = opened(run, agent, live, judging=judging, explain=False, tools=(), stack=stack)
        scored, folder = replayed(run, given, agents, asking)
    outcome = scored.outcome
    switched = promotion.promote(live, agent) if outcome.exit_code == 0 else None
    if run.json:
        run.show_json(
            {
                "verdict": outcome.verdict,
                "exit_code": outcome.exit_code,
                "live": switched.after if switched is not None else None,
                "before": switched.before if switched is not None else None,
                "report": str(folder / "report.html"),
            }
        )
    else:
        run.show(summary(outcome))
        run.show(
            f"\n{live} is now {switched.after}, it was {switched.before}; "
            "to go back: instructrec replay rollback"
            if switched is not None
            else f"\n{live} stays as it is"
        )
    run.remark(f"report: {folder / 'report.html'}")
    raise typer.Exit(outcome.exit_code)


def rollback(run: Run, live: Live = Path(FILE_NAME)) -> None:
    """Bring the configuration back that was live before the last promotion."""
    from dialog.replay import promotion

    switched = promotion.rollback(live)
    if run.json:
        run.show_json({"live": switched.after, "before": switched.before})
    else:
        run.show(f"{live} is {switched.after} again, it was {switched.before}")
