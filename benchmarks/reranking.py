"""Known documents found before and after the first passages are read again, and what that takes.

    python -m benchmarks.reranking [--reranker model] [--model NAME] [--turns 25] [--sets tau2] [--folder DIR]

The first turns of `benchmarks.retrieval`'s samples, each searched for twice:
fused, and fused and reranked. The second is told with its lead over the first,
dialogues drawn with replacement, and with the processor time a search takes longer.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import markdown, save
from benchmarks._retrieval_sets import RetrievalSet, Turn, read_sets
from benchmarks.retrieval import KnownQueries, found_by, judged, lead, with_context
from dialog.knowledge.base import KnowledgeBase, open_knowledge
from dialog.knowledge.index import build_index
from dialog.protocols import LanguageModel
from dialog.settings import KnowledgeSection, ModelSection

DEFAULT_SETS = ("doc2dial", "tau2", "banking77", "crosswoz")
HEADER = ("set", "query (turns)", "R@1", "R@5", "MRR", "lead at R@1", "at R@5", "s a query more")
SHOWN = (0, 1, 3)


def searched(turns: Sequence[Turn], knowledge: KnowledgeBase) -> tuple[np.ndarray, float]:
    """What `judged` says, and the processor seconds a search took."""
    knowledge.search(turns[0].query, top_k=1)  # loads what is loaded at the first use
    began = time.process_time()
    figures = judged(turns, lambda turn: found_by(knowledge, turn, turn.history))
    return figures, (time.process_time() - began) / len(turns)


def rows_of(
    found: RetrievalSet,
    turns: Sequence[Turn],
    folder: Path,
    *,
    reranker: str,
    model: Callable[[], LanguageModel],
) -> tuple[list[tuple[object, ...]], dict[str, object]]:
    """The two rows of a set, and its values."""
    section = KnowledgeSection(candidates=50)
    embedder = KnownQueries(
        [text for turn in turns for text in (turn.query, with_context(turn, terms=False))]
    )
    index = folder / f"index-{found.name}"
    build_index(index, [found.write(folder)], section, embedder=embedder)
    with open_knowledge(index, section, embedder=embedder) as knowledge:
        before, before_s = searched(turns, knowledge)
    again = section.model_copy(update={"reranker": reranker})
    with open_knowledge(index, again, embedder=embedder, model=model) as knowledge:
        after, after_s = searched(turns, knowledge)
    dialogues = [turn.dialogue for turn in turns]
    leads = [lead(dialogues, after[:, place], [before[:, place]]) for place in (0, 1)]
    query = f"{'conversation' if any(turn.history for turn in turns) else 'last turn'} ({len(turns)})"
    means = [[f"{figures[:, place].mean():.3f}" for place in SHOWN] for figures in (before, after)]
    rows: list[tuple[object, ...]] = [
        (found.name, query, *means[0], "", "", ""),
        (f"{found.name}, reranked", query, *means[1], *leads, after_s - before_s),
    ]
    values = {
        "turns": len(turns),
        "before": dict(zip(("r1", "r5", "mrr"), means[0], strict=True)),
        "after": dict(zip(("r1", "r5", "mrr"), means[1], strict=True)),
        "lead_r1": asdict(leads[0]),
        "lead_r5": asdict(leads[1]),
        "more_s": after_s - before_s,
    }
    return rows, values


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reranker", default="model")
    parser.add_argument("--model", help="the language model that reranks; default: the agent's")
    parser.add_argument("--turns", type=int, default=25)
    parser.add_argument("--sets", nargs="+", default=list(DEFAULT_SETS))
    parser.add_argument("--folder", type=Path, help="keep the indexes here and use them again")
    options = parser.parse_args()

    @cache
    def model() -> LanguageModel:
        from dialog.engine.load import open_model

        return open_model(ModelSection(name=options.model) if options.model else ModelSection())

    table: list[tuple[object, ...]] = []
    values: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for found in read_sets(options.sets, part="test"):
            rows, values[found.name] = rows_of(
                found,
                found.turns[: options.turns],
                options.folder or Path(temporary),
                reranker=options.reranker,
                model=model,
            )
            table += rows
            print(*rows[-1], flush=True)
    if not table:
        print("none of the sets is there; set INSTRUCTREC_DATA", file=sys.stderr)
        return 1
    save("reranking", {"reranker": options.reranker, "sets": values}, table=markdown(HEADER, table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
