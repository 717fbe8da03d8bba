"""All files of a report: `report.json`, `report.html`, `report.md`, `junit.xml`, beside `turns.jsonl`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dialog.metrics.metric import Metric
from dialog.replay.folder import RunFolder
from dialog.replay.outcome import Outcome
from dialog.replay.report.item import Item
from dialog.replay.report.junit import junit
from dialog.replay.report.markdown import markdown
from dialog.replay.report.page import page
from dialog.replay.report.pairs import pairs, sorting_metric
from dialog.replay.report.talks import talk_items
from dialog.replay.report.turns import turn_item
from dialog.replay.saved import SavedTurn
from dialog.replay.scoring import Scored


def write_report(
    folder: RunFolder, scored: Scored, turns: Collection[SavedTurn], metrics: Sequence[Metric]
) -> None:
    """Write them, each whole or not at all. Raises CorpusError."""
    outcome = scored.outcome
    items, order = _items(outcome, scored, turns, metrics)
    folder.write("report.html", page(outcome, items, turns, order=order))
    folder.write("report.md", markdown(outcome))
    folder.write("junit.xml", junit(outcome, {turn.conversation_id for turn in turns}))
    folder.write("report.json", outcome.model_dump_json(indent=1) + "\n")


def _items(
    outcome: Outcome, scored: Scored, turns: Collection[SavedTurn], metrics: Sequence[Metric]
) -> tuple[list[Item], str]:
    """What the page lists, and in which order."""
    shown = {"is_comparison": outcome.is_comparison, "has_seeds": len(outcome.seeds) > 1}
    if outcome.mode == "free":
        order = "Conversations without success come first."
        if outcome.is_comparison:
            order = "Conversations in which only B succeeds come first, then others without success."
        return talk_items(turns, scored.failures, **shown), order
    metric = sorting_metric(metrics)
    ordered = pairs(turns, scored.failures, metric, is_comparison=outcome.is_comparison)
    by = f"A's {metric.name}" if metric is not None else "conversation"
    if outcome.is_comparison and metric is not None:
        by += " against B's"
    return [
        turn_item(pair, **shown) for pair in ordered
    ], f"Turns that fail come first, then the lowest by {by}."
