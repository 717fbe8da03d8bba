"""What each metric counts, on examples small enough to score by hand."""

import math

import numpy as np
import pytest

from dialog.metrics.histogram import LEAST, MOST, histogram, quantile
from dialog.metrics.judged import Action
from dialog.metrics.matching import values_match
from dialog.metrics.registry import metric_named
from dialog.testing import HashEmbedder
from dialog.values import Citation, Message
from tests.metrics.making import score, turn


def value(name, *turns):
    return score(metric_named(name), *turns)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("hit@1", 0), ("hit@2", 1), ("recall@2", 0.5), ("recall@5", 1), ("mrr@10", 0.5), ("mrr@1", 0)],
)
def test_retrieval_counts_wanted_sources_by_rank(name, expected):
    found = turn(wanted={"sources": ("a", "b")}, retrieved=("x", ("p1", "a"), ("p2", "a"), "b"))
    assert value(name, found) == expected


def test_ndcg_discounts_by_rank():
    found = turn(wanted={"sources": ("a",)}, retrieved=("x", "a"))
    assert value("ndcg@10", found) == pytest.approx(1 / math.log2(3))


def test_joint_goal_accuracy_wants_every_slot_and_none_too_many():
    wanted = {"state": {"hotel": {"name": "京元饭店", "price": "199元"}, "nights": 2}}
    right = turn(wanted=wanted, state={"hotel": {"name": "京元 饭店", "price": "¥199"}, "nights": "两"})
    wrong = turn(
        wanted=wanted, state={"hotel": {"name": "京元饭店", "price": "¥1990"}, "nights": 2}, number=1
    )
    more = turn(wanted=wanted, state={**wanted["state"], "stars": 5}, number=2)
    assert value("joint_goal_accuracy", turn(wanted=wanted, state=wanted["state"])) == 1
    assert value("joint_goal_accuracy", wrong, more) == 0
    assert value("slot_f1", wrong) == pytest.approx(2 / 3)
    assert value("slot_precision", more) == 0.75
    assert value("slot_recall", more) == 1
    assert value("joint_goal_accuracy", right) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("¥199", "199元"),
        ("3月5日", "2024-03-05"),
        ("Jing Yuan Hotel", "jingyuan hotel"),
        ("KH-20481", "kh20481"),
        (["cheap", "moderate"], "moderate"),
        (2, "2"),
        ("ＡＢＣ公司", "ABC公司"),
        (True, "true"),
    ],
)
def test_values_that_are_the_same(first, second):
    assert values_match(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("KH-20481", "KH-20482"),
        ("¥199", "¥1999"),
        ("可以退货", "不可以退货"),
        ("expensive", "inexpensive"),
        ("satisfactory", "unsatisfactory"),
        ("3月5日", "3月6日"),
        ("room 12", "room 13"),
        ("上海", "南京"),
        (True, False),
        (2, 20),
    ],
)
def test_values_that_differ(first, second):
    assert not values_match(first, second)
    assert not values_match(second, first)


def refund(amount):
    return Action(name="refund", arguments={"amount": amount})


def test_actions_are_right_by_name_by_value_and_jointly():
    wrong_value = turn(wanted={"actions": (refund("¥199"),)}, actions=(refund("¥1990"),))
    right = turn(wanted={"actions": (refund("¥199"),)}, actions=(refund("199元"),), number=1)
    assert value("action_accuracy", wrong_value) == 1
    assert value("action_value_accuracy", wrong_value) == 0
    assert value("action_joint_accuracy", wrong_value, right) == 0.5


def test_the_cascade_ends_at_the_first_mistake():
    acts = {"wanted": {"actions": (refund(1),)}}
    turns = [
        turn("ok", number=0),
        turn(**acts, actions=(refund(1),), number=1),
        turn(**acts, actions=(refund(2),), number=2),
        turn("ok", number=3),
    ]
    assert value("cascade", *turns) == pytest.approx((2 / 4 + 1 / 3 + 0 + 1) / 4)
    assert math.isnan(value("cascade", turn("ok")))


def test_out_of_scope_is_told_from_a_missing_intent():
    turns = [
        turn(wanted={"intent": "oos"}, intent="OOS"),
        turn(wanted={"intent": "oos"}, intent=None, number=1),
        turn(wanted={"intent": "refund"}, intent="oos", number=2),
        turn(wanted={"intent": "refund"}, intent="refund", number=3),
    ]
    assert value("intent_accuracy", *turns) == 0.5
    assert value("in_scope_accuracy", *turns) == 0.5
    assert value("oos_recall", *turns) == 0.5
    assert value("oos_precision", *turns) == 0.5


def test_abstention_and_handoff_are_decisions():
    turns = [
        turn(wanted={"is_answerable": False, "hands_off": True}, abstained=True, handed_off=True),
        turn(wanted={"is_answerable": False, "hands_off": False}, abstained=False, handed_off=True, number=1),
        turn(wanted={"is_answerable": True}, abstained=True, number=2),
    ]
    assert [value(f"abstention_{name}", *turns) for name in ("precision", "recall", "f1")] == [0.5, 0.5, 0.5]
    assert [value(f"handoff_{name}", *turns) for name in ("precision", "recall")] == [0.5, 1]


def citation(quote, *, reply_end):
    return Citation(
        passage_id="p",
        source="s.md",
        title="",
        quote=quote,
        reply_start=0,
        reply_end=reply_end,
        char_start=0,
        char_end=len(quote),
    )


@pytest.mark.parametrize(
    ("quote", "supported"),
    [("退货运费为12元，由顾客承担。", 1), ("退货运费为120元，由顾客承担。", 0), ("退货运费不是12元。", 0)],
)
def test_a_citation_supports_what_it_carries(quote, supported):
    reply = "退货运费为12元。好的！"
    cited = Citation(
        passage_id="p",
        source="s.md",
        title="",
        quote=quote,
        reply_start=0,
        reply_end=9,
        char_start=0,
        char_end=9,
    )
    judged = turn(reply, wanted={"sources": ("s.md",)}, citations=(cited,))
    assert value("citation_support", judged) == supported
    assert value("groundedness", judged) == supported
    assert value("citation_hit", judged) == 1


def test_a_sentence_marked_as_unsupported_is_not_grounded():
    reply = "The label costs $6."
    cited = Citation(
        passage_id="p",
        source="s",
        title="",
        quote=reply,
        reply_start=0,
        reply_end=19,
        char_start=0,
        char_end=19,
    )
    assert value("groundedness", turn(reply, citations=(cited,))) == 1
    assert value("groundedness", turn(reply, citations=(cited,), unsupported=((0, 19),))) == 0


def test_selection_ranks_the_true_reply_among_candidates():
    near = turn("七天内可以退货", "您可以在七天内退货", candidates=tuple("甲乙丙丁戊己庚辛壬"))
    assert value("selection@1", near) == 1
    far = turn("the parcel", "退货", candidates=("the parcel", *"甲乙丙丁戊己庚辛"))
    assert value("selection@1", far) == 0
    assert math.isnan(value("selection@1", turn("a", "a", candidates=("b",))))
    assert value("selection@1of2", turn("a b", "a b", candidates=("c",))) == 1


def test_perplexity_is_per_token_whatever_the_turns():
    one = turn(logprobs=(-1.0, -2.0, -3.0))
    split = [turn(logprobs=(-1.0,)), turn(logprobs=(-2.0, -3.0), number=1)]
    assert value("cross_entropy", one) == value("cross_entropy", *split) == 2.0
    assert value("perplexity", one) == pytest.approx(math.exp(2))


def test_pass_hat_k_is_the_chance_that_all_of_k_succeed():
    tries = [turn("x", seed=seed, succeeded=seed < 3) for seed in range(4)]
    assert value("success", *tries) == 0.75
    assert value("pass^1", *tries) == 0.75
    assert value("pass^2", *tries) == pytest.approx(3 / 6)
    assert value("pass^4", *tries) == 0
    assert math.isnan(value("pass^5", *tries))


def test_a_try_without_a_verdict_failed_where_another_has_one():
    assert value("success", turn("x", succeeded=True), turn(None, seed=1, failure="crash")) == 0.5
    assert math.isnan(value("success", turn("x"), turn("y", seed=1)))


def test_repetition_within_a_reply_and_of_an_earlier_one():
    assert value("repetition@2", turn("好的好的好的")) == pytest.approx(3 / 5)
    assert value("repetition@2", turn("yes yes yes")) == 0.5
    judged = turn("Please wait.").model_copy(
        update={"messages": (Message(role="assistant", content="please wait"),)}
    )
    assert value("repeated_reply", judged) == 1
    assert value("repeated_reply", turn("Please wait.")) == 0


def test_length_counts_words_and_han_characters():
    assert value("length", turn("iPhone 15 保修期")) == 5
    assert value("length_ratio", turn("好的", "好的好的")) == 0.5


@pytest.mark.parametrize(("reply", "expected"), [("好的", 1), ("Sure.", 0), ("¥199", 1), (None, 0)])
def test_language_match(reply, expected):
    assert value("language_match", turn(reply, language="zh")) == expected


def test_similarity_is_the_cosine_of_the_embeddings():
    metric = metric_named("similarity", embedder=HashEmbedder())
    assert score(metric, turn("退货免费", "退货免费")) == pytest.approx(1)
    assert score(metric, turn("退货免费", "退货免费"), turn(None, "退货免费", number=1)) == pytest.approx(0.5)
    assert "hash-64" in metric.signature


def test_quantiles_of_a_histogram_are_within_one_percent():
    chance = np.random.default_rng(1)
    times = np.sort(np.exp(chance.normal(0, 2, size=2000)))
    counts = histogram(times[:700]) + histogram(times[700:])
    for q in (0.01, 0.5, 0.95, 1.0):
        exact = times[math.ceil(q * 2000) - 1]
        assert float(quantile(counts, q)) == pytest.approx(exact, rel=0.01)


def test_times_outside_the_range_count_as_its_ends():
    assert float(quantile(histogram([0.0]), 0.5)) == pytest.approx(LEAST, rel=0.01)
    assert float(quantile(histogram([1e9]), 0.5)) == pytest.approx(MOST, rel=0.03)


def test_latency_is_shown_in_milliseconds():
    turns = [turn("x", number=number, latency_s=number / 10) for number in range(1, 101)]
    assert value("p95_ms", *turns) == pytest.approx(9500, rel=0.01)
    assert value("p50_ms", *turns) == pytest.approx(5000, rel=0.01)


def test_relative_days_are_those_of_the_newest_message_with_a_time():
    said = (Message(role="user", content="什么时候到？", time="2026-03-04T10:00:00Z"),)
    right, wrong = (
        turn("明天送达。", f"3月{day}日送达。").model_copy(update={"messages": said}) for day in (5, 6)
    )
    assert (value("facts", right), value("facts", wrong)) == (1, 0)
