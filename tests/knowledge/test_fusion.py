"""Adding scores up, and weighted reciprocal rank fusion."""

import math

import pytest

from dialog.knowledge.fusion import Ranking, add_up, fuse, strengths


def items(rankings, k=60):
    return list(fuse(rankings, k=k))


def test_item_in_both_rankings_beats_the_firsts_of_either():
    assert items([Ranking(["a", "b"]), Ranking(["c", "b"])]) == ["b", "a", "c"]


def test_first_of_all_scores_one():
    assert fuse([Ranking(["a"]), Ranking(["a", "b"], weight=3.0)], k=60)["a"] == 1.0


def test_weight_decides_between_firsts():
    assert items([Ranking(["a"]), Ranking(["b"], weight=2.0)]) == ["b", "a"]


def test_empty_ranking_takes_nothing_away():
    assert fuse([Ranking(["a"]), Ranking([])], k=60)["a"] == 1.0


def test_scores_fall():
    scores = list(fuse([Ranking(list("abcdef")), Ranking(list("fedcba"))], k=10).values())
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_ties_keep_the_first_seen():
    assert items([Ranking(["a"]), Ranking(["b"])]) == ["a", "b"]


@pytest.mark.parametrize("rankings", [[], [Ranking([])], [Ranking(["a"], weight=0.0)]])
def test_nothing_fuses_to_nothing(rankings):
    assert fuse(rankings, k=60) == {}


def test_item_far_behind_its_first_counts_less_than_its_rank():
    far = Ranking(["a", "b"], strengths=[1.0, 0.1])
    near = Ranking(["c", "b"], strengths=[1.0, 0.1])
    assert items([far, near]) == ["a", "c", "b"]


def test_strengths_fall_from_one_and_stay_above_zero():
    assert strengths([8.0, 4.0, 0.0], zero=0.0) == pytest.approx([1.0, 0.325, 0.1])
    assert strengths([0.9], zero=0.9) == [1.0]
    assert strengths([], zero=0.0) == []


def added(lexical, dense, unit=0.01):
    return add_up(lexical, dense, cosine_unit=unit)


def test_first_of_both_legs_scores_one_and_all_fall():
    scores = added([("a", 9.0), ("b", 8.0)], [("a", 0.91), ("c", 0.9)])
    assert scores["a"] == 1.0
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert all(0 < score <= 1 for score in scores.values())


def test_leg_with_a_clear_first_decides():
    words_know = added([("a", 16.0), ("b", 4.0)], [("b", 0.901), ("a", 0.9)])
    meaning_knows = added([("a", 16.0), ("b", 15.9)], [("b", 0.95), ("a", 0.9)])
    assert (next(iter(words_know)), next(iter(meaning_knows))) == ("a", "b")


def test_a_lead_in_words_counts_by_the_root_of_the_sum():
    short = added([("a", 4.0), ("b", 2.0)], [("a", 0.9), ("b", 0.9)])["b"]
    long = added([("a", 100.0), ("b", 90.0)], [("a", 0.9), ("b", 0.9)])["b"]
    assert (short, long) == (pytest.approx(math.exp(-1.5)), pytest.approx(math.exp(-1.5)))


def test_cosine_unit_is_one_step_of_likelihood():
    assert added([], [("a", 0.92), ("b", 0.90)])["b"] == pytest.approx(math.exp(-2.0))


def test_without_a_known_unit_the_spread_of_the_cosines_is_it():
    near = added([], [("a", 0.92), ("b", 0.90)], unit=None)
    far = added([], [("a", 0.8), ("b", 0.4)], unit=None)
    assert near["b"] == pytest.approx(far["b"])


def test_what_a_full_leg_missed_lies_level_with_its_last():
    scores = added([("a", 9.0), ("b", 5.0)], [("a", 0.9), ("c", 0.9)])
    assert scores["c"] == scores["b"]


def test_what_matches_no_word_lies_below_all_that_do():
    scores = added([("a", 9.0), ("b", 5.0)], [("a", 0.9), ("b", 0.9), ("c", 0.9)])
    assert scores["c"] < scores["b"]


@pytest.mark.parametrize("dense", [[("a", 0.9), ("b", 0.9)], [("a", 0.9)]])
def test_leg_that_cannot_tell_leaves_the_other_its_order(dense):
    assert list(added([("b", 9.0), ("a", 5.0)], dense)) == ["b", "a"]
    assert added([], []) == {}
