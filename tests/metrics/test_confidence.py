"""AUROC and calibration error of what agents say of their confidence."""

import math
import random

import pytest

from dialog.metrics.confidence import ConfidenceAuroc, ConfidenceError
from tests.metrics.making import score, turn


def asked(is_answerable, confidence):
    return turn("x", wanted={"is_answerable": is_answerable}, confidence=confidence)


def test_auroc_counts_the_pairs_in_the_right_order_and_ties_half():
    turns = [asked(True, 0.9), asked(True, 0.4), asked(False, 0.4), asked(False, 0.1)]
    assert score(ConfidenceAuroc(), *turns) == (2 + 0.5 + 1) / 4


def test_auroc_is_that_of_the_ranks():
    chance = random.Random(0)
    turns = [asked(at % 2 == 0, chance.randrange(200) / 200) for at in range(60)]
    known = [(one.wanted.is_answerable, one.given.confidence) for one in turns]
    pairs = [(yes, no) for is_yes, yes in known for is_no, no in known if is_yes and not is_no]
    exact = sum((yes > no) + (yes == no) / 2 for yes, no in pairs) / len(pairs)
    assert score(ConfidenceAuroc(), *turns) == pytest.approx(exact)


def test_the_error_is_the_distance_in_each_bin():
    turns = [asked(True, 0.95), asked(False, 0.95), asked(False, 0.15), asked(False, 0.15)]
    assert score(ConfidenceError(), *turns) == pytest.approx((0.45 * 2 + 0.15 * 2) / 4)


@pytest.mark.parametrize(("metric", "worst"), [(ConfidenceAuroc(), 0), (ConfidenceError(), 1)])
def test_turns_without_a_confidence_are_surely_wrong_unless_none_was_ever_told(metric, worst):
    silent = [asked(True, None), asked(False, None)]
    assert math.isnan(score(metric, *silent))
    told = score(metric, *silent, asked(True, 1.0))
    assert (told < 1) if worst == 0 else (told > 0.5)


def test_without_unanswerable_questions_there_is_no_auroc():
    assert math.isnan(score(ConfidenceAuroc(), asked(True, 0.9)))
