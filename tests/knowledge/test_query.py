"""When a turn leans on what was said before it, and what is then searched for."""

import pytest

from dialog.knowledge.query import leans, plan_query
from dialog.values import Message


def said(*texts):
    roles = ("user", "assistant")
    return [Message(role=roles[i % 2], content=text) for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    "turn",
    [
        "And the fee?",
        "What about perishables?",
        "how much is it",
        "yes please",
        "why?",
        "Does that also apply to gift cards?",
        "那运费呢？",
        "多少钱",
        "它的保修期是多长时间",
        "这个可以退吗",
        "如果超过七天还可以申请退货吗",
        "好的",
        "?",
    ],
)
def test_turn_that_leans(turn):
    assert leans(turn)


@pytest.mark.parametrize(
    "turn",
    [
        "How long is the warranty on the Rill kettle?",
        "Can I return perishable goods bought with a gift card?",
        "手机电池的保修期是多久",
        "申请退货需要提供什么凭证和发票",
    ],
)
def test_turn_that_stands_alone(turn):
    assert not leans(turn)


@pytest.mark.parametrize(
    ("history", "turn"),
    [
        (said("Can I return a tent?", "Yes, within 30 days."), "And the fee?"),
        (said("帐篷可以退吗", "可以，三十天内。"), "那运费呢？"),
    ],
)
def test_context_holds_what_was_said_and_the_turn(history, turn):
    plan = plan_query(turn, history)
    assert plan.context.split("\n") == [*(message.content for message in history), turn]
    assert plan.rewritten == plan.context
    assert plan.query == turn


def test_nothing_of_the_turn_is_dropped():
    turn = "And is order 4711-B not covered for ¥199?"
    plan = plan_query(turn, said("Is the tent covered?", "Yes."))
    assert turn in plan.context
    assert turn in plan.context_terms


def test_turn_that_stands_alone_is_not_rewritten():
    plan = plan_query("How long is the warranty on the kettle?", said("Is the kettle in stock?", "Yes."))
    assert plan.rewritten is None
    assert 0 < plan.context_weight < 1


@pytest.mark.parametrize(
    ("history", "turn"),
    [
        (said("Can I return a tent?", "Yes, within 30 days."), "How do I reset my account password today?"),
        (said("帐篷可以退吗", "可以，三十天内。"), "会员积分兑换规则在哪里查看"),
    ],
)
def test_new_topic_hardly_counts_the_old_one(history, turn):
    same = plan_query("Can I return a tent that was used?", said("Can I return a tent?", "Yes."))
    assert plan_query(turn, history).context_weight < same.context_weight / 2


def test_first_turn_has_no_context():
    assert plan_query("And the fee?").context is None
    assert plan_query("And the fee?", [Message(role="system", content="Be brief.")]).context is None


def test_context_is_bounded():
    plan = plan_query("And the fee?", said(*["x" * 10_000] * 50))
    assert len(plan.context_terms) < 8000


@pytest.mark.parametrize("turn", ["Do you sell boats?", "退货要多少运费？", "保修期多久？"])
def test_short_question_of_its_own_does_not_lean(turn):
    assert not leans(turn)


@pytest.mark.parametrize(
    ("turn", "before"),
    [("退货运费", "Standard shipping costs $4.50."), ("shipping", "标准配送费为12元。")],
)
def test_who_switches_the_language_says_something_new(turn, before):
    history = [Message(role="user", content=before), Message(role="assistant", content=before)]
    assert not plan_query(turn, history).leans


@pytest.mark.parametrize(
    "turn", ["两张一起用可以吗？", "都有什么颜色？", "之后多久能收到钱？", "晚了会怎么样？", "第二次还免吗？"]
)
def test_chinese_question_that_leaves_out_what_it_is_about_leans(turn):
    assert leans(turn)


@pytest.mark.parametrize("turn", ["你们卖船吗？", "门店的地址在哪里？", "会员日是哪几天？"])
def test_chinese_question_that_names_what_it_is_about_does_not_lean(turn):
    assert not leans(turn)
