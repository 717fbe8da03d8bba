"""A replay from the questions to the reports: resume, ask what is left, score, write.

    scored = replay(folder, manifest, turns, agents, metrics=metrics, gates=gates)

    scored = rescore(source, metrics=metrics, gates=gates, into=folder)     # no agent is needed

A turn that a folder's answers lack counts as a failure of kind `missing`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dialog.errors import ConfigError, CorpusError
from dialog.metrics.judged import Given
from dialog.metrics.metric import Metric
from dialog.replay.agents.answering import ReplayAgent
from dialog.replay.asked import Asked
from dialog.replay.failures import failures
from dialog.replay.folder import MANIFEST, TURNS, Manifest, RunFolder, read_manifest
from dialog.replay.free.saved import had_all, whole
from dialog.replay.gates import Gate
from dialog.replay.report.write import write_report
from dialog.replay.run import ask, plan
from dialog.replay.saved import Key, Label, SavedTurn, TurnFile, read_turns
from dialog.replay.scoring import Scored, Told, score

Say = Callable[[str], None]
Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Judging:
    """What is computed and what must not come out of it."""

    metrics: Sequence[Metric]
    gates: Sequence[Gate] = ()


def replay(
    folder: RunFolder,
    manifest: Manifest,
    turns: Sequence[Asked],
    agents: Mapping[Label, ReplayAgent],
    *,
    judging: Judging,
    workers: int = 1,
    only_failed: bool = False,
    notes: Sequence[str] = (),
    say: Say = lambda text: None,
    advance: Advance = lambda done, total: None,
) -> Scored:
    """Ask what is not answered yet, then score and write everything.

    Args:
        only_failed: of a run that was asked before, ask failed turns again, too.
        say: told what was resumed.
        advance: told (turns done, turns in all), from any thread.

    Raises:
        ConfigError: the folder holds another run.
        CorpusError: the folder's files are damaged or cannot be written.
        Interrupted: Ctrl-C; going on later is possible.
    """
    saved = folder.resume(manifest)
    if saved.was_torn:
        say(f"{folder.turns}: the last line was cut short by a crash; it is dropped and its turn asked again")
    labels, seeds = sorted(agents), manifest.seeds
    again = {key for key, turn in saved.turns.items() if failures(turn)} if only_failed else set()
    units = plan(turns, labels=labels, seeds=seeds, answered=saved.turns.keys() - again)
    num_left, num_all = sum(len(unit.turns) for unit in units), len(turns) * len(labels) * len(seeds)
    if num_left < num_all:
        say(f"{num_all - num_left} of {num_all} turns were answered before; {num_left} are left")
    with TurnFile(folder.turns, whole_bytes=saved.whole_bytes) as file:
        ask(units, agents, file=file, workers=workers, advance=advance)
    answered = completed(read_turns(folder.turns).turns, turns, labels=labels, seeds=seeds)
    told_again = [f"{len(again)} failed turns were asked again; their latest answers count"] if again else []
    told = Told(seeds, manifest.fingerprints, manifest.data, (*notes, *told_again))
    return written(folder, answered, judging, told)


def rescore(
    source: Path,
    *,
    judging: Judging,
    into: Path,
    turns: Sequence[Asked] | None = None,
    notes: Sequence[str] = (),
) -> Scored:
    """Score the answers of an earlier run again; no agent is asked.

    Args:
        source: the folder of that run.
        into: where the reports go; another folder gets a copy of the answers.
        turns: what is wanted now, in place of what was; None leaves it as saved.

    Raises:
        ConfigError: `into` holds another run, or `turns` are given of a free one.
        CorpusError: `source` is no run, or its files are damaged.
    """
    manifest = read_manifest(source)
    saved = read_turns(source / TURNS)
    if not saved.turns:
        raise CorpusError("holds no answers; replay first", path=source / TURNS)
    labels: list[Label] = ["a"] if manifest.fingerprints.b is None else ["a", "b"]
    answered = _answered(manifest, saved.turns, turns, labels=labels)
    with RunFolder(into) as folder:
        if into.resolve() != source.resolve():
            folder.refuse_another(manifest)
            shutil.copyfile(source / TURNS, folder.turns)
            shutil.copyfile(source / MANIFEST, folder.path / MANIFEST)
        torn = ["the last saved line was cut short and is left out"] if saved.was_torn else []
        told = Told(manifest.seeds, manifest.fingerprints, manifest.data, (*notes, *torn), mode=manifest.mode)
        return written(folder, answered, judging, told)


def completed(
    saved: Mapping[Key, SavedTurn],
    turns: Iterable[Asked],
    *,
    labels: Sequence[Label],
    seeds: Sequence[int],
) -> list[SavedTurn]:
    """An answer for every question, agent and seed; what was not saved is `missing`."""
    found = []
    for turn in turns:
        for label in labels:
            for seed in seeds:
                answer = saved.get((label, seed, turn.conversation_id, turn.turn))
                given = answer.given if answer is not None else Given(failure="missing", detail="never asked")
                found.append(SavedTurn.of(turn.judged(given), agent=label, seed=seed))
    return found


def _answered(
    manifest: Manifest,
    saved: Mapping[Key, SavedTurn],
    turns: Sequence[Asked] | None,
    *,
    labels: Sequence[Label],
) -> list[SavedTurn]:
    if manifest.mode == "forced":
        wanted = turns if turns is not None else _questions(saved.values())
        return completed(saved, wanted, labels=labels, seeds=manifest.seeds)
    if turns is not None:
        raise ConfigError("a free replay is judged by its end; rescore it without transcripts")
    ids = list(dict.fromkeys(turn.conversation_id for turn in saved.values()))
    return had_all(whole(saved), ids, labels=labels, seeds=manifest.seeds)


def _questions(saved: Iterable[SavedTurn]) -> list[Asked]:
    """What was asked, once each, however many answered."""
    fields = Asked.model_fields
    return list(
        {
            (turn.conversation_id, turn.turn): Asked(**{name: getattr(turn, name) for name in fields})
            for turn in saved
        }.values()
    )


def written(folder: RunFolder, answered: Sequence[SavedTurn], judging: Judging, told: Told) -> Scored:
    """Score what was answered, and write the reports of it. Raises CorpusError."""
    scored = score(answered, metrics=judging.metrics, gates=judging.gates, told=told)
    write_report(folder, scored, answered, judging.metrics)
    return scored
