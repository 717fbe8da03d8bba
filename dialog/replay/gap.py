"""The gap between free and forced replay of the same agent: what its own history costs it.

    gap(free_turns, forced_folder, manifest=manifest, metrics=metrics)

The two are never mixed: each is scored by itself, then compared by
conversation, as two agents are. Differences are free - forced.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dialog.errors import ConfigError
from dialog.metrics.metric import Metric
from dialog.replay.failures import failures
from dialog.replay.folder import TURNS, Manifest, read_manifest
from dialog.replay.outcome import MetricOutcome
from dialog.replay.saved import SavedTurn, read_turns
from dialog.replay.scoring import by_conversation, outcome_of, tallies
from dialog.replay.statistics import Draws, Sample
from dialog.replay.succeeded import with_verdicts


def gap(
    free: Sequence[SavedTurn], forced: Path, *, manifest: Manifest, metrics: Sequence[Metric]
) -> dict[str, MetricOutcome]:
    """Agent A's scores in free replay (`a`) and in a forced one (`b`), on the conversations both have.

    Metrics that say nothing about one of the two are left out.

    Args:
        forced: the folder of that run.
        manifest: of the free run.

    Raises:
        ConfigError: the folder holds no forced replay of this agent, or of other conversations only.
        CorpusError: the folder is damaged.
    """
    other = read_manifest(forced)
    if other.mode != "forced":
        raise ConfigError(f"{forced} holds a {other.mode} replay; --gap-to needs a forced one")
    if other.fingerprints.a != manifest.fingerprints.a:
        raise ConfigError(f"{forced} replays another agent A; replay this one there first")
    ours, theirs = _of_a(free), _of_a(list(read_turns(forced / TURNS).turns.values()))
    ids = sorted(ours.keys() & theirs.keys())
    if not ids:
        raise ConfigError(f"{forced} has none of these conversations; replay the same transcripts there")
    draws = Draws(ids)
    found = {}
    for metric in metrics:
        sample = Sample(draws, tallies(metric, ours, ids), tallies(metric, theirs, ids), metric.value)
        outcome = outcome_of(metric, sample, is_comparison=True)
        if outcome.difference is not None:
            found[metric.name] = outcome
    return found


def _of_a(turns: Sequence[SavedTurn]) -> dict[str, list[SavedTurn]]:
    judged = with_verdicts(turns, {turn.key: failures(turn) for turn in turns})
    return by_conversation(sorted(judged, key=lambda turn: turn.turn), "a")
