"""What a reply rests on; the scripted model finds words likelier that stand in its prompt."""

import pytest

from dialog.testing import FixedRetriever, ScriptedModel, passage
from tests.agent.conftest import MakeAgent

FEES = passage("A return label costs $6.", id="fees")
HOURS = passage("The showroom opens at nine.", id="hours")
FEES_ZH = passage("退货运费为12元。", id="fees")
HOURS_ZH = passage("门店九点开门。", id="hours")


@pytest.mark.parametrize(
    ("question", "answer", "knowledge"),
    [
        ("How much is the label?", "A return label costs $6.", [HOURS, FEES]),
        ("运费多少？", "退货运费为12元。", [HOURS_ZH, FEES_ZH]),
    ],
)
def test_the_passage_a_reply_was_taken_from_has_the_largest_share(
    make_agent: MakeAgent,
    question: str,
    answer: str,
    knowledge: list,  # type: ignore[type-arg]
) -> None:
    agent = make_agent(ScriptedModel([answer]), FixedRetriever(knowledge))
    assert agent.reply(question, conversation_id="c").mode == "generated"
    shares = agent.explain("c")
    assert (shares[0].segment, shares[0].kind) == ("fees", "passage")
    assert sum(one.share for one in shares) == pytest.approx(1)


def test_an_earlier_turn_can_be_what_a_reply_rests_on(make_agent: MakeAgent) -> None:
    agent = make_agent(ScriptedModel(["The word is xylophone.", "xylophone"]))
    agent.reply("What is the word?", conversation_id="c")
    agent.reply("Again?", conversation_id="c")
    (first, *_) = agent.explain("c")
    assert first.kind == "turn"
    assert first.segment == agent.history("c").turns()[0].user_id


def test_a_quotation_rests_on_what_it_quotes(make_agent: MakeAgent) -> None:
    agent = make_agent(ScriptedModel(["unused"], languages=("en",)), FixedRetriever([FEES_ZH]))
    agent.reply("运费多少？", conversation_id="c")
    assert [(one.segment, one.share) for one in agent.explain("c")] == [("fees", 1.0)]


def test_a_fixed_phrase_rests_on_nothing(make_agent: MakeAgent) -> None:
    agent = make_agent(retriever=FixedRetriever([FEES]))
    agent.reply("hello", conversation_id="c")
    assert agent.explain("c") == ()


def test_without_a_reply_there_is_nothing_to_explain(make_agent: MakeAgent) -> None:
    with pytest.raises(ValueError, match="no reply"):
        make_agent().explain("c")
