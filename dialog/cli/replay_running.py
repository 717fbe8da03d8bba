"""What `instructrec replay` runs: agents opened, questions asked or conversations had, reports written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dialog.cli.progress import progress
from dialog.cli.replay_input import Input, Tasks, needs_logprobs
from dialog.cli.verb import Run
from dialog.home import data_dir
from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.agents.described import open_agent
from dialog.replay.environments.environment import Tool
from dialog.replay.environments.opened import named
from dialog.replay.folder import Manifest, RunFolder, hash_of, key_of
from dialog.replay.free.replaying import replay_free
from dialog.replay.free.running import Cast, refused_actions
from dialog.replay.free.user import ScriptedUser
from dialog.replay.free.worded import ModelUsers
from dialog.replay.outcome import Fingerprints
from dialog.replay.replaying import Judging
from dialog.replay.replaying import replay as replay_all
from dialog.replay.saved import Label
from dialog.replay.scoring import Scored

SCRIPTED = "scripted-2"
"""Changes whenever the rules of the scripted user do: conversations with another user are another run."""


@dataclass(frozen=True)
class Asking:
    """What holds for both modes."""

    judging: Judging
    seeds: tuple[int, ...]
    workers: int
    report_dir: Path | None
    only_failed: bool


@dataclass(frozen=True)
class Playing:
    """Who plays against the agents in free replay, and the forced replay to compare with."""

    cast: Cast
    gap_to: Path | None
    tools: Sequence[Tool]


def open_playing(
    run: Run,
    user: Path | None,
    environment: str | None,
    *,
    max_turns: int,
    gap_to: Path | None,
    stack: ExitStack,
) -> Playing:
    """Open the user's model, if there is one, and find the environment.

    Raises:
        ConfigError, ModelError: one of them cannot be opened.
    """
    make = named(environment) if environment is not None else None
    models = stack.enter_context(ModelUsers(user, progress=_remark(run))) if user is not None else None
    cast = Cast(
        user=models or ScriptedUser,
        environment=make,
        max_turns=max_turns,
        fingerprint={
            "user": models.fingerprint if models is not None else SCRIPTED,
            "environment": environment,
            "max_turns": str(max_turns),
        },
    )
    return Playing(cast, gap_to, tools=make({}).tools() if make is not None else ())


def opened(
    run: Run,
    agent: Path | None,
    against: Path | None,
    *,
    judging: Judging,
    explain: bool,
    tools: Sequence[Tool],
    stack: ExitStack,
) -> dict[Label, ReplayAgent]:
    """The agents by label; closed with the stack. Raises what `open_agent` does."""
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
            tools=tools,
            progress=_remark(run),
        )
        stack.callback(agents[label].close)
    return agents


def replayed(run: Run, given: Input, agents: dict[Label, ReplayAgent], asking: Asking) -> tuple[Scored, Path]:
    """Forced replay; the outcome and its folder."""
    manifest = Manifest(
        seeds=asking.seeds,
        questions=hash_of(given.turns),
        num_unasked=given.num_unasked,
        fingerprints=_fingerprints(agents),
        data=given.data,
    )
    path = asking.report_dir or _folder(manifest)
    with RunFolder(path) as folder, progress("replaying", shown=run.shows_progress) as advance:
        scored = replay_all(
            folder,
            manifest,
            given.turns,
            agents,
            judging=asking.judging,
            workers=asking.workers,
            only_failed=asking.only_failed,
            notes=given.notes,
            say=run.warn,
            advance=advance,
        )
    return scored, path


def played(
    run: Run, given: Tasks, agents: dict[Label, ReplayAgent], asking: Asking, playing: Playing
) -> tuple[Scored, Path]:
    """Free replay; the outcome and its folder."""
    manifest = Manifest(
        mode="free",
        seeds=asking.seeds,
        questions=given.fingerprint,
        cast=dict(playing.cast.fingerprint),
        fingerprints=_fingerprints(agents),
        data=given.data,
    )
    refused = refused_actions(given.tasks, playing.cast)
    for why in refused:
        run.warn(f"the environment refuses an annotated action: {why}")
    noted = [f"the environment refuses {len(refused)} annotated actions"] if refused else []
    path = asking.report_dir or _folder(manifest)
    with RunFolder(path) as folder, progress("talking", shown=run.shows_progress) as advance:
        scored = replay_free(
            folder,
            manifest,
            given.tasks,
            agents,
            cast=playing.cast,
            judging=asking.judging,
            workers=asking.workers,
            only_failed=asking.only_failed,
            gap_to=playing.gap_to,
            notes=(*given.notes, *noted),
            say=run.warn,
            advance=advance,
        )
    return scored, path


def _fingerprints(agents: dict[Label, ReplayAgent]) -> Fingerprints:
    found = {label: dict(agent.fingerprint) for label, agent in agents.items()}
    return Fingerprints(a=found["a"], b=found.get("b"))


def _folder(manifest: Manifest) -> Path:
    return data_dir() / "replays" / key_of(manifest)


def _remark(run: Run) -> Callable[[str], None] | None:
    return run.remark if run.shows_progress else None
