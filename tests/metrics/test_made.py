"""Planted defects are found at their turn, and paraphrases raise no alarm: the made set of 60 templates."""

import pytest

from benchmarks._facts_made import EN, FLIPS, ZH, harmless, planted
from dialog.metrics.facts import compare
from dialog.metrics.registry import metric_named
from tests.metrics.making import score, turn

SEEDS = range(3)


def test_the_set_is_large_and_in_both_languages():
    assert (len(ZH), len(EN), len(FLIPS)) == (20, 20, 20)
    assert {pair.language for pair in harmless(0)} == {"zh", "en"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_paraphrase_raises_no_alarm(seed):
    pairs = list(harmless(seed))
    assert [pair for pair in pairs if compare(pair.reply, pair.reference).conflicts] == []
    assert [pair for pair in pairs if compare(pair.reference, pair.reference).conflicts] == []


@pytest.mark.parametrize("paraphrased", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_planted_defect_is_found_and_named(seed, paraphrased):
    pairs = list(planted(seed, paraphrased=paraphrased))
    assert {pair.kind for pair in pairs} == {"identifier", "money", "date", "number", "negation"}
    found = [[conflict.kind for conflict in compare(pair.reply, pair.reference).conflicts] for pair in pairs]
    assert found == [[pair.kind] for pair in pairs]


def test_the_metric_falls_only_where_a_defect_is_planted():
    (first, *_) = planted(0, paraphrased=False)
    right, wrong = turn(first.reference, first.reference), turn(first.reply, first.reference, number=1)
    assert score(metric_named("facts"), right) == 1
    assert score(metric_named("facts"), wrong) == 0
    assert score(metric_named("facts"), right, wrong) == 0.5
    assert score(metric_named(f"facts@{first.kind}"), wrong) == 0
    assert score(metric_named("facts@negation"), wrong) == 1
