"""`summarize`: extracts, briefings and notes in both languages; drafts are cut to what the source says."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from dialog.testing import FixedTools, FixedTurn, ScriptedModel
from dialog.values import Language, Message
from skills.summarize import Input, Summarize, briefing, summarised


def talk(*texts: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(Message(role=roles[at % 2], content=text) for at, text in enumerate(texts))  # type: ignore[arg-type]


ENGLISH = talk(
    "Hi there. My order MK-10482 has not arrived and it is ten days late.",
    "Hello! We have sent a new parcel today and it arrives on Friday.",
    "Do I have to pay again?",
)
CHINESE = talk(
    "您好。我的订单MK-10482一直没有收到。", "您好！我们今天补发了包裹，周五送达。", "要再付一次钱吗？"
)


def test_every_case_of_the_skill_holds() -> None:
    path = Summarize.spec.cases
    assert path is not None
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for language in ("zh", "en"):
        assert sum(case["language"] == language for case in cases) >= 12
    items = [Input.model_validate(case["input"]) for case in cases]
    for case, output in zip(cases, Summarize().work(items, FixedTools()), strict=True):
        assert output.model_dump(mode="json", include=set(case["expect"])) == case["expect"]


@pytest.mark.parametrize("messages", [ENGLISH, CHINESE])
def test_evidence_stands_where_it_says(messages: tuple[Message, ...]) -> None:
    output = summarised(Input(messages=messages))
    assert output.evidence
    for one in output.evidence:
        assert messages[one.message].content[one.start : one.end] == one.text
        assert one.text in output.text


def test_evidence_of_a_text_counts_from_its_beginning() -> None:
    text = "Returns are free.\n\nShipping to Norway costs $12 and takes five days."
    for one in summarised(Input(text=text)).evidence:
        assert text[one.start : one.end] == one.text


@pytest.mark.parametrize(
    ("messages", "language", "parts"),
    [
        (
            ENGLISH,
            "en",
            ["Wants: ", "Done: We have sent a new parcel", "Facts: MK-10482", "Open: Do I have to"],
        ),
        (
            CHINESE,
            "zh",
            ["诉求：", "处理：我们今天补发了包裹", "关键信息：MK-10482", "待回复：要再付一次钱吗"],
        ),
    ],
)
def test_a_briefing_tells_wish_deeds_facts_and_what_is_open(
    messages: tuple[Message, ...], language: Language, parts: list[str]
) -> None:
    text = briefing(messages, language=language)
    for part in parts:
        assert part in text


def test_the_bound_holds_and_what_does_not_fit_is_left_out_whole() -> None:
    text = "One two three four five six. Seven eight. " + "word " * 50 + "."
    assert summarised(Input(text=text, max_words=8)).text == "One two three four five six. Seven eight."
    assert summarised(Input(text="中" * 30 + "。", max_words=8)).text == ""


def test_a_source_is_a_text_or_messages() -> None:
    for given in ({}, {"text": "a", "messages": ENGLISH}, {"text": "  "}):
        with pytest.raises(ValidationError, match="give either text or messages"):
            Input.model_validate(given)


def drafting(model: ScriptedModel) -> FixedTools:
    return FixedTools(model=model, options={"summarize": {"draft": True}})


@pytest.mark.parametrize(
    ("messages", "draft", "kept"),
    [
        (
            ENGLISH,
            "Order MK-10482 has not arrived. It was stolen by a bear.",
            "Order MK-10482 has not arrived.",
        ),
        (CHINESE, "订单MK-10482一直没有收到。包裹被熊偷走了。", "订单MK-10482一直没有收到。"),
    ],
)
def test_of_a_draft_only_what_the_source_supports_is_kept(
    messages: tuple[Message, ...], draft: str, kept: str
) -> None:
    (output,) = Summarize().work([Input(messages=messages)], drafting(ScriptedModel([draft])))
    assert (output.text, output.mode) == (kept, "generated")
    assert "1 sentences of the model's draft" in output.reason


@pytest.mark.parametrize(
    ("messages", "draft"), [(ENGLISH, "Order MK-99999 has not arrived."), (CHINESE, "订单MK-99999没有收到。")]
)
def test_an_unsupported_draft_gives_way_to_the_source(messages: tuple[Message, ...], draft: str) -> None:
    (output,) = Summarize().work([Input(messages=messages)], drafting(ScriptedModel([draft])))
    assert (output.mode, output.text) == ("extracted", summarised(Input(messages=messages)).text)
    assert "supports nothing" in output.reason


def test_a_language_the_model_does_not_write_is_not_asked_for() -> None:
    model = ScriptedModel([], languages=("en",))
    (output,) = Summarize().work([Input(messages=CHINESE)], drafting(model))
    assert (output.mode, output.reason) == ("extracted", "the model does not write 'zh'")


def test_a_source_too_long_for_the_model_is_extracted_and_told_of() -> None:
    model = ScriptedModel(["x"], context_tokens=300)
    (output,) = Summarize().work([Input(text="A cat sat. " * 400)], drafting(model))
    assert (output.mode, "too long for the model" in output.reason) == ("extracted", True)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Can you sum up our chat?", True),
        ("请总结一下刚才的对话", True),
        ("Please give me a short summary.", True),
        ("tl;dr?", True),
        ("总结一下吧", True),
        ("帮我用三句话概括一下情况", True),
        ("Summarise your return policy", False),
        ("Can you send me a recap of the warranty?", False),
        ("总结一下退货政策", False),
        ("保修条款概括起来是什么？", False),
        ("Is there a fee?", False),
        ("要付多少钱？", False),
    ],
)
def test_a_request_for_a_summary_is_known(text: str, fits: bool) -> None:
    assert Summarize().matches(FixedTurn(text)) == (0.9 if fits else 0.0)


@pytest.mark.parametrize(
    ("text", "history", "part"),
    [
        ("sum up our chat", ENGLISH, "Customer: "),
        ("总结一下对话", CHINESE, "客户："),
        ("总结一下", (), "还没有聊过"),
    ],
)
def test_in_a_conversation_the_history_is_summed_up(
    text: str, history: tuple[Message, ...], part: str
) -> None:
    said = "".join(event.text for event in Summarize().run(FixedTurn(text, history=history)))  # type: ignore[union-attr]
    assert part in said
