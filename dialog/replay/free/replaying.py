"""A free replay from the tasks to the reports: resume, have what is left, score, write.

scored = replay_free(folder, manifest, tasks, agents, cast=cast, judging=judging)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.folder import Manifest, RunFolder
from dialog.replay.free.running import Cast, have, plan
from dialog.replay.free.saved import had_all, whole
from dialog.replay.free.talk import Task
from dialog.replay.gap import gap
from dialog.replay.replaying import Advance, Judging, Say, written
from dialog.replay.saved import Label, SavedTurn, TurnFile, read_turns
from dialog.replay.scoring import Scored, Told


def replay_free(
    folder: RunFolder,
    manifest: Manifest,
    tasks: Sequence[Task],
    agents: Mapping[Label, ReplayAgent],
    *,
    cast: Cast,
    judging: Judging,
    workers: int = 1,
    only_failed: bool = False,
    gap_to: Path | None = None,
    notes: Sequence[str] = (),
    say: Say = lambda text: None,
    advance: Advance = lambda done, total: None,
) -> Scored:
    """Have the conversations that are not had yet, then score and write everything.

    Args:
        only_failed: of a run that was had before, have conversations without success again, too.
        gap_to: the folder of a forced replay of the same agent, to be compared with.
        say: told what was resumed.
        advance: told (conversations done, conversations in all), from any thread.

    Raises:
        ConfigError: the folder holds another run, or `gap_to` none that can be compared.
        CorpusError: the folder's files are damaged or cannot be written.
        Interrupted: Ctrl-C; going on later is possible.
    """
    saved = folder.resume(manifest)
    labels, seeds = sorted(agents), manifest.seeds
    had = whole(saved.turns)
    again = {key for key, turns in had.items() if not _is_good(turns)} if only_failed else set()
    units = plan(tasks, labels=labels, seeds=seeds, had=had.keys() - again)
    num_all = len(tasks) * len(labels) * len(seeds)
    if len(units) < num_all:
        say(f"{num_all - len(units)} of {num_all} conversations were had before; {len(units)} are left")
    with TurnFile(folder.turns, whole_bytes=saved.whole_bytes) as file:
        have(units, agents, cast=cast, file=file, workers=workers, advance=advance)
    turns = had_all(
        whole(read_turns(folder.turns).turns),
        [task.conversation_id for task in tasks],
        labels=labels,
        seeds=seeds,
    )
    told_again = (
        [f"{len(again)} conversations without success were had again; the latest count"] if again else []
    )
    found = gap(turns, gap_to, manifest=manifest, metrics=judging.metrics) if gap_to is not None else {}
    told = Told(
        seeds, manifest.fingerprints, manifest.data, (*notes, *told_again), mode=manifest.mode, gap=found
    )
    return written(folder, turns, judging, told)


def _is_good(turns: Sequence[SavedTurn]) -> bool:
    return turns[-1].given.succeeded is True
