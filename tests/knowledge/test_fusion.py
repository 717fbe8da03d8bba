"""Weighted reciprocal rank fusion."""

import pytest

from dialog.knowledge.fusion import Ranking, fuse, strengths


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
