"""Short messages in the middle of a flow."""

from __future__ import annotations

import pytest

from skills.support.cues import is_asking, is_no, is_stop, is_yes, wants_human


@pytest.mark.parametrize(
    "said", ["yes", "Yes, please!", "ok go ahead", "That's right.", "对的", "好的，可以", "嗯，没错"]
)
def test_agreement(said: str) -> None:
    assert is_yes(said)
    assert not is_no(said)


@pytest.mark.parametrize(
    "said", ["not ok", "不可以", "不对", "yes but MK-10483", "好像不对", "okra", "no", "不是", "right away?"]
)
def test_what_is_no_agreement(said: str) -> None:
    assert not is_yes(said)


@pytest.mark.parametrize("said", ["no", "No, that's wrong", "不是", "不对", "not ok"])
def test_denial(said: str) -> None:
    assert is_no(said)


@pytest.mark.parametrize(
    "said",
    [
        "never mind",
        "Forget it.",
        "算了",
        "算了，不用了",
        "I changed my mind",
        "no, forget it",
        "actually forget it",
    ],
)
def test_giving_up(said: str) -> None:
    assert is_stop(said)


@pytest.mark.parametrize("said", ["stop my order before it ships", "我不用微信", "the bus stop"])
def test_what_is_no_giving_up(said: str) -> None:
    assert not is_stop(said)


@pytest.mark.parametrize(
    "said",
    [
        "I want to speak to a human",
        "get me an agent",
        "agent",
        "转人工",
        "我要找人工客服",
        "让你们经理来，找经理",
    ],
)
def test_asking_for_a_person(said: str) -> None:
    assert wants_human(said)


@pytest.mark.parametrize("said", ["I need a new kettle", "人工费多少钱", "my agent number is MK-10482"])
def test_what_does_not_ask_for_a_person(said: str) -> None:
    assert not wants_human(said)


@pytest.mark.parametrize("said", ["What does it cost", "要多少钱", "可以退吗", "Really?"])
def test_asking(said: str) -> None:
    assert is_asking(said)
