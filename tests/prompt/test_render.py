"""What stands where in a prompt, and that a prompt begins like the one before it."""

from __future__ import annotations

import pytest

from dialog.instructions import Instruction
from dialog.prompt.continuation import continue_with
from dialog.prompt.parts import Part
from dialog.prompt.render import FINGERPRINT
from dialog.prompt.template import open_template
from dialog.values import Prompt, Summary, Turn
from tests.prompt.conversations import BRIEF, TOKENIZER, back, passage, rendered, turn
from tests.prompt.families import FAMILIES, chat_tokenizer, stock_ids


def test_everything_at_once_in_english() -> None:
    wish = Instruction(id="i-wish", text="Answer in English.", source="wish")
    once = Instruction(id="i-once", text="Offer a refund.", source="skill", scope="turn")
    summary = Summary(id="s-1", text="The order is 4711.", covers=("u-0", "r-0"), language="en")
    prompt = rendered(
        instructions=[BRIEF, once, wish],
        turns=[turn(1), turn(0, words=400)],
        passages=[passage(1), passage(2, "Refunds take five days.")],
        summary=summary,
        memory="order: 4711",
        limit_tokens=300,
    ).prompt
    assert prompt.text == (
        "<|im_start|>system\n"
        "Be brief.\n\nAnswer in English.\n\n"
        "Summary of the earlier conversation:\nThe order is 4711.<|im_end|>\n"
        "<|im_start|>user\nQuestion 1 word word word word<|im_end|>\n"
        "<|im_start|>assistant\nYes, 1 it is.<|im_end|>\n"
        "<|im_start|>user\n"
        "Offer a refund.\n\n"
        "Known so far:\norder: 4711\n\n"
        "Passages:\n[1] Shipping\nParcels arrive within three days.\n\n"
        "[2] Shipping\nRefunds take five days.\n\n"
        "Message:\nAnd the fee?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert [(one.kind, one.ref) for one in prompt.segments if one.kind != "template"] == [
        ("instruction", "i-brief"),
        ("instruction", "i-wish"),
        ("memory", "s-1"),
        ("user", "u-1"),
        ("agent", "r-1"),
        ("instruction", "i-once"),
        ("memory", "memory"),
        ("passage", "p-1"),
        ("passage", "p-2"),
        ("user", "u-new"),
    ]


def test_everything_at_once_in_chinese() -> None:
    prompt = rendered(
        instructions=[Instruction(id="i-1", text="请用中文回答。", source="system")],
        turns=[Turn(index=0, user_id="u-0", user="你好", reply_id="r-0", reply="您好！")],
        passages=[passage(1, "七天内可以退货。")],
        memory="订单号：4711",
        user="可以退货吗？",
    ).prompt
    assert prompt.text == (
        "<|im_start|>system\n请用中文回答。<|im_end|>\n"
        "<|im_start|>user\n你好<|im_end|>\n"
        "<|im_start|>assistant\n您好！<|im_end|>\n"
        "<|im_start|>user\n"
        "已知信息：\n订单号：4711\n\n"
        "参考资料：\n[1] Shipping\n七天内可以退货。\n\n"
        "用户消息：\n可以退货吗？<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_plain_message_has_no_frame() -> None:
    prompt = rendered(instructions=[], user="Hello").prompt
    assert prompt.text == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def test_segments_are_the_text_they_name() -> None:
    prompt = rendered(turns=back(2), passages=[passage(1)]).prompt
    texts = {
        one.ref: TOKENIZER.decode(prompt.ids[one.start : one.end])
        for one in prompt.segments
        if one.kind != "template"
    }
    assert texts["u-0"] == "Question 0 word word word word"
    assert texts["r-1"] == "Yes, 1 it is."
    assert texts["p-1"] == "[1] Shipping\nParcels arrive within three days."
    assert texts["u-new"] == "And the fee?"
    assert prompt.segments[0].start == 0
    assert prompt.segments[-1].end == len(prompt.ids)


def test_messages_say_what_the_text_says() -> None:
    prompt = rendered(turns=back(2), passages=[passage(1)]).prompt
    assert TOKENIZER.apply_template(prompt.messages, add_generation_prompt=True) == prompt.text


def test_a_turn_answered_by_a_person_shows_only_the_user() -> None:
    prompt = rendered(turns=[turn(1), turn(0, reply=None)]).prompt
    assert prompt.text.count("<|im_start|>assistant") == 2
    assert "Question 0" in prompt.text


def test_the_turn_being_answered_is_not_shown_twice() -> None:
    pending = Turn(index=1, user_id="u-new", user="And the fee?")
    assert rendered(turns=[pending, turn(0)]).prompt == rendered(turns=[turn(0)]).prompt


def test_a_passage_found_twice_is_shown_once() -> None:
    assert rendered(passages=[passage(1), passage(1)]).prompt.fit.retrieved == ("p-1",)


def test_headings_follow_the_newest_message_that_has_a_language() -> None:
    chinese = Turn(index=0, user_id="u-0", user="运费多少？", reply_id="r-0", reply="十元。")
    assert "参考资料" in rendered(turns=[chinese], passages=[passage(1)], user="4711").prompt.text
    assert "Passages" in rendered(turns=[chinese], passages=[passage(1)], user="Thank you").prompt.text


def test_rendering_is_deterministic() -> None:
    assert rendered(turns=back(5)) == rendered(turns=back(5))


def test_the_layout_has_a_fingerprint() -> None:
    assert len(FINGERPRINT) == 16


def common_prefix(left: tuple[int, ...], right: tuple[int, ...]) -> int:
    pairs = zip(left, right, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))


def two_turns(name: str, *, with_passages: bool, zh: bool) -> tuple[Prompt, tuple[int, ...], Prompt]:
    """The prompt of a turn, that prompt and its reply, and the prompt of the next turn."""
    tokenizer = chat_tokenizer(name)
    asked, said, more = (
        ("运费多少？", "十元。", "可以退货吗？") if zh else ("The fee?", "19.90.", "And refunds?")
    )
    found = [passage(1)] if with_passages else []
    first = rendered(turns=back(3), passages=found, user=asked, user_id="u-3", tokenizer=tokenizer).prompt
    reply = continue_with(open_template(tokenizer), [Part("agent", "r-3", said)])
    answered = Turn(index=3, user_id="u-3", user=asked, reply_id="r-3", reply=said)
    second = rendered(turns=[answered, *back(3)], passages=found, user=more, tokenizer=tokenizer).prompt
    return first, first.ids + reply.ids, second


@pytest.mark.parametrize("zh", [False, True], ids=["en", "zh"])
@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"mistral", "qwen3"}))
def test_without_passages_the_next_prompt_begins_with_this_one_and_its_reply(name: str, zh: bool) -> None:
    _, spoken, second = two_turns(name, with_passages=False, zh=zh)
    assert second.ids[: len(spoken)] == spoken


@pytest.mark.parametrize("zh", [False, True], ids=["en", "zh"])
@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"mistral"}))
def test_the_next_prompt_begins_with_this_one_up_to_its_passages(name: str, zh: bool) -> None:
    first, _, second = two_turns(name, with_passages=True, zh=zh)
    passages = next(one for one in first.segments if one.kind == "passage")
    heading = next(one for one in first.segments if one.end == passages.start)
    before = next(one for one in reversed(first.segments) if one.kind == "agent").end
    shared = common_prefix(first.ids, second.ids)
    assert before < shared
    assert heading.start < shared


@pytest.mark.parametrize("name", FAMILIES)
def test_a_whole_prompt_is_the_stock_templates(name: str) -> None:
    prompt = rendered(
        instructions=[], turns=back(3), passages=[passage(1)], tokenizer=chat_tokenizer(name)
    ).prompt
    assert prompt.ids == stock_ids(name, list(prompt.messages), reply_follows=True)
