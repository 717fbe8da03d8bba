"""Choosing labels: the corrections do what they are for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pytest

from dialog.testing import ScriptedModel
from dialog.values import Prompt, TokenScores
from skills.choosing import Chooser, Wording, expected_calibration_error
from skills.choosing.measures import changed_by_order

WORDING = Wording("Message: {text}\nTopics: {labels}\nTopic:", blank="N/A")


class Scored(ScriptedModel):
    """Gives each label the log-probability per token that a function says."""

    def __init__(self, of: Callable[[str, str], float]) -> None:
        super().__init__()
        self._of = of

    def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[TokenScores]:
        scores = []
        for one in continuations:
            ids, _ = self.tokenizer.encode(one)
            logprobs = tuple([self._of(prompt.text, one.strip())] * len(ids))
            scores.append(TokenScores(ids=tuple(ids), logprobs=logprobs))
        return scores


def test_a_name_the_model_likes_anyway_is_not_favoured():
    def likes_refund(asked: str, label: str) -> float:
        return (-1.0 if label == "refund" else -4.0) + (
            2.0 if "parcel" in asked and label == "delivery" else 0.0
        )

    chosen = Chooser(Scored(likes_refund), WORDING).choose("Where is my parcel?", ["refund", "delivery"])
    raw = Chooser(Scored(likes_refund), WORDING, is_corrected=False).choose(
        "Where is my parcel?", ["refund", "delivery"]
    )
    assert chosen.ranked[0][0] == "delivery"
    assert raw.ranked[0][0] == "refund"


def test_the_place_in_the_list_does_not_decide():
    def likes_the_first(asked: str, label: str) -> float:
        return -1.0 if asked.partition("Topics: ")[2].startswith(label) else -3.0

    chooser = Chooser(Scored(likes_the_first), WORDING, num_orders=3, is_corrected=False)
    assert chooser.choose("你好", ["退款", "物流", "发票"]).probabilities == pytest.approx([1 / 3] * 3)


def test_a_long_name_is_not_punished():
    chooser = Chooser(Scored(lambda asked, label: -2.0), WORDING, is_corrected=False)
    choice = chooser.choose("hello", ["a", "a very long name indeed"])
    assert choice.probabilities == pytest.approx((0.5, 0.5))


def test_what_is_cut_is_said():
    chooser = Chooser(Scored(lambda asked, label: -2.0), WORDING)
    assert chooser.choose("word " * 1000, ["a", "b"]).is_cut
    assert not chooser.choose("word", ["a", "b"]).is_cut


@pytest.mark.parametrize("labels", [[], ["one"], ["two", "two"]])
def test_labels_must_differ(labels: list[str]):
    with pytest.raises(ValueError, match="two or more"):
        Chooser(Scored(lambda asked, label: 0.0), WORDING).choose("x", labels)


def test_calibration_error_of_known_bins():
    assert expected_calibration_error([0.9, 0.9, 0.6], [True, False, True]) == pytest.approx(
        (abs(1.8 - 1) + abs(0.6 - 1)) / 3
    )
    assert expected_calibration_error([], []) is None


def test_order_changes_are_counted_by_text():
    assert changed_by_order([["a", "a"], ["a", "b"]]) == 0.5
    assert changed_by_order([]) is None


def test_probabilities_are_a_distribution():
    choice = Chooser(Scored(lambda asked, label: -len(label)), WORDING).choose("x", ["a", "bb", "ccc"])
    assert math.isclose(sum(choice.probabilities), 1.0)
