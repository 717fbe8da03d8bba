"""Summaries: what they keep, where they come from, and that the record is not touched."""

from __future__ import annotations

import pytest

from dialog.prompt.summarise import extract, summary_of
from dialog.values import Summary, Turn
from tests.prompt.conversations import back, passage, rendered, turn

EN = [
    Turn(
        index=0,
        user_id="u-0",
        user="Hi there! My order is A-4711. It is a lovely day.",
        reply_id="r-0",
        reply="Hello! What a pity. It will arrive on 3 May.",
    ),
    Turn(index=1, user_id="u-1", user="I do not want the blue one.", reply_id="r-1", reply="Sure!"),
]
ZH = [
    Turn(
        index=0,
        user_id="u-0",
        user="你好！我的订单号是47118。今天天气真好。",
        reply_id="r-0",
        reply="您好！五天内退款。",
    ),
    Turn(index=1, user_id="u-1", user="我不要蓝色的。", reply_id="r-1", reply="好的。"),
]


def test_numbers_identifiers_and_decisions_are_kept_and_small_talk_is_not() -> None:
    summary = extract(EN, previous=None, language="en", max_tokens=1000, count=len)
    assert summary.text == (
        "User: My order is A-4711.\nAgent: It will arrive on 3 May.\nUser: I do not want the blue one."
    )


def test_chinese_is_summarised_in_chinese() -> None:
    summary = extract(ZH, previous=None, language="zh", max_tokens=1000, count=len)
    assert summary.text == "用户：我的订单号是47118。\n客服：五天内退款。\n用户：我不要蓝色的。"
    assert summary.language == "zh"


def test_a_summary_names_every_entry_it_covers() -> None:
    first = extract(EN[:1], previous=None, language="en", max_tokens=1000, count=len)
    second = extract(EN[1:], previous=first, language="en", max_tokens=1000, count=len)
    assert first.covers == ("u-0", "r-0")
    assert second.covers == ("u-0", "r-0", "u-1", "r-1")


def test_an_earlier_summary_is_absorbed() -> None:
    first = extract(EN[:1], previous=None, language="en", max_tokens=1000, count=len)
    second = extract(EN[1:], previous=first, language="en", max_tokens=1000, count=len)
    assert second.text == extract(EN, previous=None, language="en", max_tokens=1000, count=len).text


def test_the_identifier_is_the_last_to_go() -> None:
    texts = [
        extract(EN, previous=None, language="en", max_tokens=size, count=len).text for size in (60, 30, 5)
    ]
    assert texts[0] == "User: My order is A-4711.\nAgent: It will arrive on 3 May."
    assert texts[1] == "User: My order is A-4711."
    assert texts[2] == ""


@pytest.mark.parametrize("text", ["9" * 1_000_000, "1. " * 300_000])
def test_a_huge_turn_is_summarised_within_the_size(text: str) -> None:
    huge = Turn(index=0, user_id="u", user=text)
    assert len(extract([huge], previous=None, language="en", max_tokens=500, count=len).text) <= 500


def test_equal_summaries_have_equal_ids() -> None:
    first = summary_of("x", EN, previous=None, language="en")
    assert first.id == summary_of("x", EN, previous=None, language="en").id
    assert first.id != summary_of("y", EN, previous=None, language="en").id


def test_older_turns_are_replaced_and_the_summary_is_returned() -> None:
    result = rendered(turns=back(40), limit_tokens=500, on_overflow="summarise")
    fit = result.prompt.fit
    assert result.summary is not None
    assert fit.dropped == ()
    assert fit.summarised == result.summary.covers
    assert result.summary.id in fit.kept
    assert result.summary.text in result.prompt.text


def test_a_recorded_summary_gives_the_same_prompt_without_making_a_new_one() -> None:
    made = rendered(turns=back(40), limit_tokens=500, on_overflow="summarise")
    again = rendered(turns=back(40), limit_tokens=500, on_overflow="summarise", summary=made.summary)
    assert again.summary is None
    assert again.prompt == made.prompt


def test_a_summary_lasts_for_several_turns() -> None:
    summary: Summary | None = None
    num_made = 0
    for num_turns in range(10, 60):
        result = rendered(turns=back(num_turns), limit_tokens=500, on_overflow="summarise", summary=summary)
        num_made += result.summary is not None
        summary = result.summary or summary
        assert result.prompt.fit.dropped == ()
    assert num_made <= 8


def test_a_summary_is_not_shown_while_the_turns_themselves_fit() -> None:
    summary = rendered(turns=back(40), limit_tokens=500, on_overflow="summarise").summary
    fit = rendered(turns=back(40), limit_tokens=5000, on_overflow="summarise", summary=summary).prompt.fit
    assert fit.summarised == ()
    assert fit.kept == rendered(turns=back(40), limit_tokens=5000).prompt.fit.kept


def test_a_recorded_summary_serves_where_turns_are_dropped() -> None:
    summary = rendered(turns=back(40), limit_tokens=500, on_overflow="summarise").summary
    fit = rendered(turns=back(60), limit_tokens=500, summary=summary).prompt.fit
    assert summary is not None
    assert summary.id in fit.kept
    assert fit.summarised
    assert "u-40" in fit.dropped


def test_a_summary_too_long_for_the_prompt_is_not_used() -> None:
    summary = Summary(id="s", text="word " * 300, covers=("u-0", "r-0"), language="en")
    fit = rendered(turns=back(40), limit_tokens=300, summary=summary).prompt.fit
    assert "s" not in fit.kept
    assert fit.summarised == ()


def test_without_room_for_a_summary_turns_are_dropped() -> None:
    result = rendered(turns=[turn(0, words=200)], limit_tokens=60, on_overflow="summarise")
    assert result.prompt.fit.used_tokens <= 40
    assert sorted(result.prompt.fit.dropped + result.prompt.fit.summarised) == ["r-0", "u-0"]


def test_passages_do_not_go_for_a_summary() -> None:
    found = [passage(1), passage(2)]
    result = rendered(turns=back(40), passages=found, limit_tokens=200, on_overflow="summarise")
    assert result.prompt.fit.retrieved == ("p-1", "p-2")
