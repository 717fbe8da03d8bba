"""Metrics by name: parameters, plug-ins, and errors that help."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from dialog.errors import ConfigError, MissingExtra
from dialog.metrics import registry
from dialog.metrics.ratio import Ratio
from dialog.metrics.registry import all_metrics, default_metrics, metric_named
from dialog.plugins import Broken, Loaded

POLITE = Ratio("polite", "share", True, "please", lambda turn: (float("请" in (turn.given.text or "")), 1))


@pytest.fixture
def plugins(monkeypatch):
    found = {
        "polite": POLITE,
        "louder": lambda parameter: Ratio("louder", parameter or "x", True, "s", POLITE.part),
    }
    found["wrong"] = lambda parameter: "not a metric"
    broken = (Broken("instructrec.metrics", "torn", "x:y", "torn-dist", "ImportError: no"),)

    def load(group, *, only=None):
        chosen = {name: plugin for name, plugin in found.items() if only in (None, name)}
        return Loaded(chosen, tuple(one for one in broken if only in (None, one.name)))

    monkeypatch.setattr(registry, "load", load)


@pytest.mark.parametrize(
    "name",
    [
        "rouge_l",
        "recall@1",
        "recall@20",
        "pass^4",
        "p99_ms",
        "selection@2of5",
        "facts@money",
        "bleu@char",
        "repetition@3",
    ],
)
def test_a_metric_has_the_name_it_was_asked_for_by(name):
    assert metric_named(name).name == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rogue_l", "rouge_l"),
        ("recal@5", "recall"),
        ("recall@x", "'x' is no whole number"),
        ("recall@0", "k must be at least 1"),
        ("rouge_l@2", "it takes no parameter"),
        ("facts@colour", "number, money, date, identifier, negation"),
        ("selection@10", "less than N"),
        ("bleu@nonsense", "13a"),
        ("pass^0", "k must be at least 1"),
        ("similarity", "needs an embedder"),
    ],
)
def test_an_error_says_what_to_write_instead(name, expected):
    with pytest.raises(ConfigError, match=expected):
        metric_named(name)


def test_the_default_metrics_need_no_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    names = [metric.name for metric in default_metrics()]
    assert len(set(names)) == len(names)
    assert {"facts", "success", "p95_ms"} <= set(names)


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_without_sacrebleu_the_extra_is_named(monkeypatch, name):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtra, match=r"instructrec\[replay\]"):
        metric_named(name)


@pytest.mark.usefixtures("plugins")
def test_plugins_join_and_broken_ones_are_listed():
    metrics = all_metrics()
    assert metrics.found["polite"] is POLITE
    assert metric_named("polite") is POLITE
    assert metric_named("louder@y").unit == "y"
    assert {broken.name for broken in metrics.broken} == {"torn", "wrong"}


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("torn", "ImportError: no"),
        ("wrong", "gives a str"),
        ("polite@2", "takes no parameter"),
        ("polit", "polite"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_an_error_only_when_asked_for(name, expected):
    with pytest.raises(ConfigError, match=expected):
        metric_named(name)


def test_plugins_are_found_by_entry_point(monkeypatch):
    point = EntryPoint(name="sized", value="dialog.metrics.length:length_ratio", group="instructrec.metrics")
    monkeypatch.setattr("dialog.plugins.entry_points", lambda group: [point])
    monkeypatch.delenv("INSTRUCTREC_PLUGINS", raising=False)
    with pytest.raises(ConfigError, match="failed: TypeError"):
        metric_named("sized")
    assert "sized" in {broken.name for broken in all_metrics().broken}


def test_every_metric_values_an_array_of_sums():
    for metric in all_metrics().found.values():
        assert metric.value(np.zeros((2, metric.size))).shape == (2,)


def test_the_page_names_every_metric_with_its_unit_and_signature():
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    for metric in all_metrics().found.values():
        (line,) = [line for line in page.splitlines() if line.startswith(f"| `{metric.name}`")]
        signature = metric.signature.partition("|version:")[0].replace("|", "\\|")
        assert f"| {metric.unit} |" in line
        assert f"`{signature}" in line
        assert (metric.name in {one.name for one in default_metrics()}) == ("` * |" in line)
