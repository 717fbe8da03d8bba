"""Three tiny metrics and a tiny check of facts, in place of the real ones."""

import re
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dialog.errors import ConfigError
from dialog.metrics import success


class Share:
    """The share of turns of which `part` is true; those of which it is None do not count."""

    unit = "share"
    higher_is_better = True
    size = 2

    def __init__(self, name, part):
        self.name = name
        self.signature = f"tiny:{name}"
        self._part = part

    def tally(self, turns):
        parts = [part for part in map(self._part, turns) if part is not None]
        return np.array([float(sum(parts)), float(len(parts))])

    def value(self, sums):
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums[..., 0] / sums[..., 1]


class MeanMs(Share):
    """Mean latency."""

    unit = "ms"
    higher_is_better = False

    def tally(self, turns):
        known = [turn.given.latency_s for turn in turns if turn.given.latency_s is not None]
        return np.array([1000 * sum(known), float(len(known))])


def _is_right(turn):
    return None if turn.wanted.text is None else turn.given.text == turn.wanted.text


def _knows_intent(turn):
    return None if turn.wanted.intent is None else turn.given.intent == turn.wanted.intent


SUCCESS = Share("success", _is_right)
INTENT = Share("intent", _knows_intent)
METRICS = {metric.name: metric for metric in (SUCCESS, INTENT, MeanMs("mean_ms", None))}


@dataclass(frozen=True)
class Conflict:
    kind: str
    detail: str


def conflicts(reply, reference):
    said, wanted = (set(re.findall(r"\d+", text)) for text in (reply, reference))
    other = sorted(said - wanted) if wanted else []
    return [Conflict("number", f"says {number}") for number in other]


def named(name: str) -> object:
    """As `dialog.metrics.registry.metric_named`."""
    if name.startswith("pass^"):
        return success.PassHat(int(name.removeprefix("pass^")))
    if name not in METRICS:
        raise ConfigError(f"there is no metric {name!r}; there are: {', '.join(METRICS)}")
    return METRICS[name]


def modules():
    """The modules of `dialog.metrics` that replay asks, by name, to be put into `sys.modules`."""
    registry = types.ModuleType("dialog.metrics.registry")
    registry.metric_named = named
    registry.default_metrics = lambda: list(METRICS.values())
    facts = types.ModuleType("dialog.metrics.facts")
    facts.__path__ = [str(Path(success.__file__).with_name("facts"))]  # its modules are the real ones
    facts.conflicts = conflicts
    return {module.__name__: module for module in (registry, facts)}
