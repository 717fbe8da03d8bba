"""All files of a report: `report.json`, `report.html`, `report.md`, `junit.xml`, beside `turns.jsonl`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dialog.metrics.metric import Metric
from dialog.replay.folder import RunFolder
from dialog.replay.report.junit import junit
from dialog.replay.report.markdown import markdown
from dialog.replay.report.page import page
from dialog.replay.report.pairs import pairs, sorting_metric
from dialog.replay.saved import SavedTurn
from dialog.replay.scoring import Scored


def write_report(
    folder: RunFolder, scored: Scored, turns: Collection[SavedTurn], metrics: Sequence[Metric]
) -> None:
    """Write them, each whole or not at all. Raises CorpusError."""
    outcome = scored.outcome
    metric = sorting_metric(metrics)
    ordered = pairs(turns, scored.failures, metric, is_comparison=outcome.is_comparison)
    folder.write("report.html", page(outcome, ordered, sorted_by=metric.name if metric else None))
    folder.write("report.md", markdown(outcome))
    folder.write("junit.xml", junit(outcome, {turn.conversation_id for turn in turns}))
    folder.write("report.json", outcome.model_dump_json(indent=1) + "\n")
