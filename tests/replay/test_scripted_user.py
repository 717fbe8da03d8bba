"""The user of free replay: what it wants and knows, when it says so, when it has had enough."""

import pytest

from dialog.metrics.judged import Action
from dialog.replay.free.listening import answers, asked_for, asks, wants_a_yes
from dialog.replay.free.scenario import scenario_of
from dialog.replay.free.tau2 import first_person
from dialog.replay.free.user import Over, ScriptedUser
from dialog.values import Message, Transcript

EN = (
    ("user", "Hi, where is my parcel?"),
    ("assistant", "Could you give me your order number?"),
    ("user", "It is MK-10482."),
    ("assistant", "Order MK-10482 was shipped on 3 May."),
    ("user", "And what does a return cost?"),
    ("assistant", "A return costs $6. Anything else?"),
    ("user", "Thanks!"),
)
ZH = (
    ("user", "我的包裹到哪了？"),
    ("assistant", "请提供您的订单号。"),
    ("user", "MK-20481"),
    ("assistant", "订单 MK-20481 已于5月3日发货。"),
    ("user", "退货运费多少？"),
    ("assistant", "退货运费 20 元。"),
    ("user", "谢谢"),
)
TALKS = {"en": EN, "zh": ZH}
ASKING = {"en": "What is your order number, please?", "zh": "请问您的订单号是多少？"}
SENT = {"en": "It left on 3 May: order MK-10482.", "zh": "5月3日已发货，订单号 MK-20481。"}
FEE = {"en": "You pay $6.", "zh": "需要 20 元。"}
WRONG_FEE = {"en": "A return costs $16.", "zh": "退货运费 200 元。"}
WAIT = {"en": "One moment.", "zh": "请稍等。"}


def scenario(messages, **fields):
    spoken = tuple(Message(role=role, content=text) for role, text in messages)
    return scenario_of(Transcript(id="c", messages=spoken, **fields))


def user(language, *, seed=0, **options):
    return ScriptedUser(scenario(TALKS[language]), seed=seed, conversation_id="c", **options)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_transcript_has_goals_and_facts_and_its_thanks_are_neither(language):
    found = scenario(TALKS[language])
    said = [text for role, text in TALKS[language] if role == "user"]
    assert [goal.say for goal in found.goals] == [said[0], said[2]]
    assert [(fact.say, fact.goal) for fact in found.facts] == [(said[1], 0)]
    assert (found.script, found.language) == (tuple(said), language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_fact_is_told_when_it_is_asked_for_and_goals_follow_each_other(language):
    customer = user(language)
    said = [text for role, text in TALKS[language] if role == "user"]
    assert customer.opening() == said[0]
    assert customer.hears(ASKING[language]) == said[1]
    assert customer.hears(SENT[language]) == said[2]
    assert customer.hears(FEE[language]) == Over(how="satisfied")
    assert customer.share_met == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_fact_that_is_due_is_told_unasked(language):
    customer = user(language)
    customer.opening()
    assert customer.hears(WAIT[language]) == TALKS[language][2][1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_another_amount_does_not_satisfy(language):
    customer = user(language)
    customer.opening()
    customer.hears(SENT[language])
    said = customer.hears(WRONG_FEE[language])
    assert isinstance(said, str)
    assert TALKS[language][4][1] in said
    assert customer.share_met == 0.5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_user_gives_up_after_a_patience_that_its_seed_decides(language):
    lengths = []
    for seed in range(20):
        customer = user(language, seed=seed)
        said, heard = customer.opening(), 0
        while isinstance(said, str):
            said = customer.hears(f"{WAIT[language]} {heard}")
            heard += 1
        assert said == Over(how="gave_up")
        lengths.append(heard)
    assert set(lengths) == {3, 4, 5}  # the fact that is due, then one to three times more


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_same_seed_says_the_same_again(language):
    def said(seed):
        customer = user(language, seed=seed)
        customer.opening()
        return [customer.hears(f"{WAIT[language]} {number}") for number in range(2)]

    assert said(4) == said(4)
    assert len({tuple(said(seed)) for seed in range(20)}) > 1


@pytest.mark.parametrize(
    ("goal", "question"),
    [
        ("I want to cancel order MK-10481.", "Which orders are they, and what should be done?"),
        ("我要取消订单 MK-20481。", "是哪个订单，要怎么处理？"),
    ],
    ids=["en", "zh"],
)
def test_asked_for_what_it_wants_it_says_so_again(goal, question):
    found = scenario((("user", "x"),), meta={"scenario": {"goals": [{"say": goal}]}})
    customer = ScriptedUser(found, seed=0, conversation_id="c", reached=lambda: False)
    customer.opening()
    assert goal in customer.hears(question)


def test_what_the_user_does_not_know_it_says_so():
    customer = user("en")
    customer.opening()
    answer = customer.hears("What colour are your shoes?")
    assert "know" in answer or "have that" in answer or "tell you that" in answer


def test_in_an_environment_a_goal_without_an_answer_is_met_by_the_state():
    done = []
    found = scenario((("user", "x"),), meta={"scenario": {"goals": [{"say": "Cancel MK-10481."}]}})
    customer = ScriptedUser(found, seed=0, conversation_id="c", reached=lambda: bool(done))
    customer.opening()
    assert customer.hears("Shall I cancel it? (yes/no)") in (
        "Yes, please.",
        "Yes, go ahead.",
        "Yes, that is right.",
    )
    done.append(1)
    assert customer.hears("It is cancelled.") == Over(how="satisfied")


def test_a_tau2_task_becomes_a_scenario_in_the_first_person():
    task = {
        "user_scenario": {
            "instructions": {
                "reason_for_call": "You received your order #W1 and wish to return it.",
                "known_info": "You are Yusuf Rossi in zip code 19122.",
                "task_instructions": "You are private.",
                "domain": "retail",
            }
        },
        "evaluation_criteria": {
            "actions": [
                {"name": "find_user", "arguments": {"zip": "19122"}},
                {"name": "apply", "arguments": {}, "requestor": "user"},
            ],
            "communicate_info": ["1234.5"],
        },
    }
    found = scenario((("user", "You received ..."),), meta={"task": task})
    assert found.goals[0].say == "I received my order #W1 and wish to return it."
    assert found.facts[0].say == "I am Yusuf Rossi in zip code 19122."
    assert found.actions == (Action(name="find_user", arguments={"zip": "19122"}),)
    assert found.must_hear == ("1234.5",)


def test_a_malformed_scenario_says_where():
    with pytest.raises(ValueError, match=r"meta\.scenario\.goals\.0\.say"):
        scenario((("user", "x"),), meta={"scenario": {"goals": [{"wants": "y"}]}})


@pytest.mark.parametrize(
    ("reply", "is_question"),
    [
        ("What is your name?", True),
        ("Please DM us your account e-mail.", True),
        ("Please provide the order number.", True),
        ("请提供订单号。", True),
        ("您方便说一下手机号吗", True),
        ("麻烦您提供一下手机号", True),
        ("It is sent.", False),
        ("已发货。", False),
    ],
)
def test_questions_and_requests_are_told_from_statements(reply, is_question):
    assert asks(reply) is is_question


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("May I have your zip code?", 0),
        ("请问您的邮编是多少？", 0),
        ("What is the reason for the return?", 1),
        ("退货原因是什么？", 1),
    ],
)
def test_the_fact_that_is_asked_for_is_found(question, place):
    facts = [
        ("I live in zip code 19122, 邮编 19122.", ""),
        ("The reason is that it is too small. 原因是太小。", ""),
    ]
    assert asked_for(question, facts) == [place]


@pytest.mark.parametrize("question", ["Shall I cancel the order?", "我现在为您取消，可以吗？"])
def test_a_go_ahead_is_recognised(question):
    assert wants_a_yes(question)


@pytest.mark.parametrize(
    ("reply", "wants", "is_answer"),
    [
        ("It takes 3 days.", "Delivery takes 3 days.", True),
        ("It takes 5 days.", "Delivery takes 3 days.", False),
        ("可以退货，7天内。", "七天内可以退货。", True),
        ("不可以退货。", "可以退货。", False),
        ("The wheel is made of steel.", "Our wheels are steel.", True),
        ("Goodbye.", "Our wheels are steel.", False),
    ],
)
def test_an_answer_states_what_was_wanted(reply, wants, is_answer):
    assert answers(reply, wants=wants) is is_answer


def test_the_second_person_is_turned():
    assert first_person("Your e-mail is new and you're sure it is yours.") == (
        "My e-mail is new and I'm sure it is mine."
    )
