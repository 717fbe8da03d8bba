"""What the agent says when it has documents: only what they say."""

import pytest

from dialog.events import Notice, Retrieved, TextDelta
from dialog.testing import FixedRetriever, ScriptedModel, passage
from tests.agent.conftest import MakeAgent

RETURNS = passage(
    "You can return items within 30 days. A return label costs $6. Gift cards cannot be returned."
)
RETURNS_ZH = passage("商品可在30天内退货。退货运费为12元。礼品卡不可退货。", title="退货")


def test_a_supported_reply_is_shown_and_cited(make_agent: MakeAgent) -> None:
    agent = make_agent(ScriptedModel(["The return label costs $6."]), FixedRetriever([RETURNS]))
    reply = agent.reply("How much is the return label?")
    assert reply.text == "The return label costs $6."
    assert reply.mode == "generated"
    (citation,) = reply.citations
    assert citation.quote == "A return label costs $6."
    assert RETURNS.text[citation.char_start : citation.char_end] == citation.quote
    assert reply.text[citation.reply_start : citation.reply_end] == reply.text


def test_a_chinese_reply_is_checked_like_an_english_one(make_agent: MakeAgent) -> None:
    agent = make_agent(ScriptedModel(["退货运费为12元。"]), FixedRetriever([RETURNS_ZH]))
    reply = agent.reply("退货运费是多少？")
    assert reply.text == "退货运费为12元。"
    assert reply.mode == "generated"
    assert reply.citations[0].quote == "退货运费为12元。"


@pytest.mark.parametrize(
    ("question", "draft", "knowledge", "quoted"),
    [
        ("How much is the return label?", "The return label costs $60.", RETURNS, "A return label costs $6."),
        (
            "Can I return gift cards?",
            "Gift cards can be returned.",
            RETURNS,
            "Gift cards cannot be returned.",
        ),
        ("礼品卡可以退货吗？", "礼品卡可以退货。", RETURNS_ZH, "礼品卡不可退货。"),
    ],
)
def test_a_false_draft_is_withheld_and_the_passage_quoted(
    make_agent: MakeAgent,
    question: str,
    draft: str,
    knowledge,
    quoted: str,  # type: ignore[no-untyped-def]
) -> None:
    agent = make_agent(ScriptedModel([draft]), FixedRetriever([knowledge]))
    reply = agent.reply(question)
    assert reply.mode == "quoted"
    assert quoted in reply.text
    assert draft not in reply.text
    assert "withheld" in reply.notices[0]
    assert reply.citations[0].quote == reply.text


def test_a_true_sentence_that_answers_another_question_is_withheld(make_agent: MakeAgent) -> None:
    agent = make_agent(ScriptedModel(["You can return items within 30 days."]), FixedRetriever([RETURNS]))
    reply = agent.reply("Are gift cards refundable?")
    assert "Gift cards cannot be returned." in reply.text


def test_rambling_after_a_supported_sentence_is_cut_and_said(make_agent: MakeAgent) -> None:
    draft = "The return label costs $6. Our founder was born in a small village by the sea."
    agent = make_agent(ScriptedModel([draft]), FixedRetriever([RETURNS]))
    reply = agent.reply("How much is the return label?")
    assert reply.text == "The return label costs $6."
    assert "rest of the model's draft was withheld" in reply.notices[0]


def test_a_model_is_not_asked_for_a_language_it_does_not_write(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["unused"], languages=("en",))
    agent = make_agent(model, FixedRetriever([RETURNS_ZH]))
    reply = agent.reply("退货运费是多少？")
    assert reply.mode == "quoted"
    assert "退货运费为12元。" in reply.text
    assert model.prompts == []
    assert reply.fit.used_tokens == 0


@pytest.mark.parametrize(
    ("question", "words"), [("Do you sell boats?", "I don't know"), ("你们卖船吗？", "我不知道")]
)
def test_what_is_not_in_the_documents_is_admitted_in_the_users_language(
    make_agent: MakeAgent, question: str, words: str
) -> None:
    model = ScriptedModel(["unused"])
    reply = make_agent(model, FixedRetriever([RETURNS], confidence=0)).reply(question)
    assert reply.text.startswith(words)
    assert reply.finish_reason == "abstained"
    assert model.prompts == []


def test_a_person_is_asked_for_where_so_configured(make_agent: MakeAgent) -> None:
    agent = make_agent(
        ScriptedModel(["unused"]), FixedRetriever(confidence=0), ["knowledge.on_missing='hand_off'"]
    )
    reply = agent.reply("Do you sell boats?", conversation_id="c")
    assert reply.finish_reason == "handed_off"
    assert reply.state.handoff == "waiting"
    assert agent.state("c").handoff.status == "waiting"
    assert "boats" in agent.state("c").handoff.briefing


def test_a_greeting_is_answered_without_a_search(make_agent: MakeAgent) -> None:
    retriever = FixedRetriever([RETURNS])
    reply = make_agent(ScriptedModel(["unused"]), retriever).reply("你好")
    assert reply.mode == "fixed"
    assert reply.text.startswith("您好")
    assert retriever.queries == []


def test_events_come_in_order_and_their_text_is_the_reply(make_agent: MakeAgent) -> None:
    agent = make_agent(ScriptedModel(["The return label costs $6."]), FixedRetriever([RETURNS]))
    events = list(agent.stream("How much is the return label?"))
    assert [event.kind for event in events] == [
        "retrieved",
        "skill_called",
        "prompt_ready",
        "text_delta",
        "finished",
    ]
    assert isinstance(events[0], Retrieved)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == events[-1].reply.text  # type: ignore[union-attr]
    assert not any(isinstance(event, Notice) for event in events)


def test_the_search_may_lean_on_the_turns_before(make_agent: MakeAgent) -> None:
    retriever = FixedRetriever([RETURNS])
    agent = make_agent(ScriptedModel(["The return label costs $6."] * 2), retriever)
    agent.reply("How much is the return label?")
    agent.reply("And for gift cards?")
    assert [message.content for message in retriever.histories[1]] == [
        "How much is the return label?",
        "The return label costs $6.",
    ]


@pytest.mark.parametrize(
    ("question", "before", "text", "wanted"),
    [
        (
            "And when do inspections expire?",
            "The extension lasts ten days after the return of the vehicle.",
            "The extension lasts ten days. It starts with the return of the vehicle. "
            "The vehicle needs a sticker. Bring the papers. Pay at the desk. "
            "Inspections expire after twelve months.",
            "Inspections expire after twelve months.",
        ),
        (
            "那检验什么时候到期？",
            "延期自车辆返回之日起十天。",
            "延期为十天。自车辆返回之日起算。车辆需贴标。请携带证件。在窗口缴费。检验满十二个月到期。",
            "检验满十二个月到期。",
        ),
    ],
)
def test_a_follow_up_is_not_answered_with_the_last_answer_again(
    make_agent: MakeAgent, question: str, before: str, text: str, wanted: str
) -> None:
    retriever = FixedRetriever([passage(text)], rewritten=f"{before}\n{question}")
    agent = make_agent(ScriptedModel(["unused"], languages=("und",)), retriever)
    assert wanted in agent.reply(question).text
