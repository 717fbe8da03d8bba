"""Metrics by name: ours, those of plug-ins, and which are shown when nobody asks.

    metric_named("recall@5").signature
    [metric.name for metric in default_metrics()]

A plug-in registers under `instructrec.metrics` a `Metric`, or a callable that
makes one from a parameter: of `name@parameter` the text behind the `@`, else None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import process

from dialog.errors import ConfigError
from dialog.metrics.catalogue import DEFAULTS, FAMILIES, Make
from dialog.metrics.metric import Metric
from dialog.metrics.similarity import Embeds, Similarity
from dialog.plugins import Broken, load

GROUP = "instructrec.metrics"
_SIMILARITY = "similarity"
_NUM_NEAREST = 3


@dataclass(frozen=True)
class Metrics:
    """All metrics there are: ours as they are without a parameter, plug-ins', and plug-ins that failed."""

    found: Mapping[str, Metric]
    broken: tuple[Broken, ...]


def metric_named(name: str, *, embedder: Embeds | None = None) -> Metric:
    """The metric of a name, for instance `rouge_l`, `recall@5`, `p95_ms`, `pass^4`.

    Args:
        embedder: for `similarity`.

    Raises:
        ConfigError: there is no such metric, its parameter is wrong, or it needs an embedder.
        MissingExtra: it needs sacrebleu, which is not installed.
    """
    name = name.strip()
    if name == _SIMILARITY:
        if embedder is None:
            raise ConfigError("the metric 'similarity' needs an embedder; give it one, or leave it out")
        return Similarity(embedder)
    base, separator, parameter = _divided(name)
    if make := FAMILIES.get(base):
        return _made(name, make, parameter if separator else None)
    loaded = load(GROUP, only=base)
    if base in loaded.found:
        return _plugged(name, loaded.found[base], parameter if separator else None)
    if loaded.broken:
        raise ConfigError(f"the metric {name!r} is a plug-in that cannot be loaded: {loaded.broken[0].error}")
    raise ConfigError(f"there is no metric {name!r}; the nearest are {', '.join(_nearest(base))}")


def default_metrics() -> list[Metric]:
    """What a replay shows when no metric is named: all that need no extra and no embedder."""
    return [metric_named(name) for name in DEFAULTS]


def all_metrics(*, embedder: Embeds | None = None) -> Metrics:
    """Every metric that can be made here, by name; `similarity` only with an embedder.

    Raises:
        MissingExtra: sacrebleu is not installed.
    """
    found = {made.name: made for made in (metric_named(base) for base in FAMILIES if base != "pass^")}
    if embedder is not None:
        found[_SIMILARITY] = Similarity(embedder)
    loaded = load(GROUP)
    broken = list(loaded.broken)
    for name, plugin in loaded.found.items():
        try:
            made = _plugged(name, plugin, None)
        except ConfigError as error:
            broken.append(Broken(GROUP, name, repr(plugin), "", str(error)))
        else:
            found.setdefault(made.name, made)
    return Metrics(found, tuple(broken))


def _divided(name: str) -> tuple[str, str, str]:
    if name.startswith("pass^"):
        return "pass^", "^", name.removeprefix("pass^")
    base, separator, parameter = name.partition("@")
    return base, separator, parameter


def _made(name: str, make: Make, parameter: str | None) -> Metric:
    try:
        return make(parameter)
    except ValueError as error:
        raise ConfigError(f"the metric {name!r}: {error}") from error


def _plugged(name: str, plugin: object, parameter: str | None) -> Metric:
    if isinstance(plugin, Metric) and not isinstance(plugin, type):
        if parameter is not None:
            raise ConfigError(f"the metric {name!r} takes no parameter")
        return plugin
    try:
        made = plugin(parameter) if callable(plugin) else plugin
    except Exception as error:  # whatever a stranger's code does
        raise ConfigError(
            f"the plug-in of the metric {name!r} failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Metric):
        raise ConfigError(f"the plug-in of the metric {name!r} gives a {type(made).__name__}, not a metric")
    return made


def _nearest(name: str) -> list[str]:
    known = [*FAMILIES, _SIMILARITY, *load(GROUP).found]
    return [found for found, _, _ in process.extract(name, known, limit=_NUM_NEAREST)]
