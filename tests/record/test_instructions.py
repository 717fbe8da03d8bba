"""The stack's rules, wishes in what users say, and the choice that learns."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.feedback import Choice
from dialog.instructions import Instruction, resolve
from dialog.store.sql import SqlStore
from dialog.wishes import wishes_from_edit, wishes_from_feedback, wishes_in, withdrawn_in


def rule(id: str, **fields: Any) -> Instruction:
    return Instruction(**{"id": id, "text": f"text {id}", "source": "system", **fields})


def ids(instructions: tuple[Instruction, ...]) -> list[str]:
    return [instruction.id for instruction in instructions]


def test_instructions_on_different_topics_are_all_active() -> None:
    resolution = resolve([rule("a", topic="language"), rule("b", topic="length"), rule("c"), rule("d")])
    assert ids(resolution.active) == ["a", "b", "c", "d"]
    assert resolution.overridden == ()


@pytest.mark.parametrize(
    ("winner", "loser", "reason"),
    [
        ({"priority": 1, "scope": "deployment"}, {"scope": "turn"}, "priority 1 over 0"),
        ({"scope": "turn"}, {"scope": "conversation"}, "for this turn over for this conversation"),
        ({"scope": "conversation"}, {"scope": "user"}, "for this conversation over for this user"),
        ({"scope": "user"}, {"scope": "deployment"}, "for this user over for this deployment"),
        ({"source": "wish"}, {"source": "skill"}, "a wish instruction over a skill one"),
        ({"source": "skill"}, {"source": "feedback"}, "a skill instruction over a feedback one"),
        ({"source": "feedback"}, {"source": "system"}, "a feedback instruction over a system one"),
    ],
)
def test_conflict_on_a_topic_goes_by_the_stated_rules(
    winner: dict[str, Any], loser: dict[str, Any], reason: str
) -> None:
    one, other = rule("winner", topic="t", **winner), rule("loser", topic="t", **loser)
    for order in ([one, other], [other, one]):
        resolution = resolve(order)
        assert ids(resolution.active) == ["winner"]
        (lost,) = resolution.overridden
        assert (lost.instruction.id, lost.by) == ("loser", "winner")
        assert lost.reason == f"on t: {reason}"


def test_of_equals_the_later_wins() -> None:
    resolution = resolve([rule("early", topic="t"), rule("late", topic="t")])
    assert ids(resolution.active) == ["late"]
    assert resolution.overridden[0].reason == "on t: set later"


def test_same_words_are_said_once() -> None:
    resolution = resolve([rule("a", text="Be brief."), rule("b", text="be  BRIEF.", source="wish")])
    assert ids(resolution.active) == ["b"]
    assert resolution.overridden[0].reason == "in the same words: a wish instruction over a system one"


def test_same_id_is_replaced_without_a_conflict() -> None:
    resolution = resolve([rule("a", text="old"), rule("a", text="new")])
    assert [instruction.text for instruction in resolution.active] == ["new"]
    assert resolution.overridden == ()


def test_what_changes_least_comes_first() -> None:
    resolution = resolve(
        [rule("w", source="wish"), rule("f", source="feedback"), rule("k", source="skill"), rule("s")]
    )
    assert ids(resolution.active) == ["s", "k", "f", "w"]


_INSTRUCTIONS = st.lists(
    st.builds(
        Instruction,
        id=st.sampled_from("abcdefgh"),
        text=st.sampled_from(["x", "y", "z", "X"]),
        source=st.sampled_from(["system", "skill", "wish", "feedback"]),
        scope=st.sampled_from(["turn", "conversation", "user", "deployment"]),
        priority=st.integers(-1, 1),
        topic=st.sampled_from([None, "t", "u"]),
    ),
    max_size=10,
)


@given(_INSTRUCTIONS)
def test_every_instruction_is_either_active_or_explained(instructions: list[Instruction]) -> None:
    resolution = resolve(instructions)
    newest = {instruction.id: instruction for instruction in instructions}
    shown = [*resolution.active, *(lost.instruction for lost in resolution.overridden)]
    assert sorted(ids(tuple(shown))) == sorted(newest)
    topics = [one.topic for one in resolution.active if one.topic is not None]
    assert len(topics) == len(set(topics))
    assert resolve(resolution.active).overridden == ()


@pytest.mark.parametrize(
    ("text", "topic", "words"),
    [
        ("Please always answer in Chinese.", "language", "Always answer in Chinese."),
        ("Can you reply in English?", "language", "Always answer in English."),
        ("From now on reply only in Mandarin", "language", "Always answer in Chinese."),
        ("以后都用中文回答", "language", "请始终用中文回答。"),
        ("能用英文回答吗？", "language", "请始终用英文回答。"),
        ("麻烦你讲普通话", "language", "请始终用中文回答。"),
        ("keep it short", "length", "Keep answers short."),
        ("Could you keep your answers brief?", "length", "Keep answers short."),
        ("简短一点", "length", "回答请简短。"),
        ("回答简洁一些，谢谢", "length", "回答请简短。"),
        ("别那么啰嗦", "length", "回答请简短。"),
        ("please explain in more detail", "length", "Answer in detail."),
        ("请详细说明一下", "length", "请详细回答。"),
        ("Please use bullet points", "format", "Use bullet points."),
        ("不要用列表", "format", "请用普通句子，不用列表和 Markdown。"),
        ("no emojis please", "emoji", "Do not use emoji."),
        ("别发表情", "emoji", "请不要使用表情符号。"),
        ("Please be more formal.", "tone", "Use a formal tone."),
        ("语气亲切一点", "tone", "请用轻松亲切的语气。"),
        ("use simple words", "wording", "Use simple words."),
        ("说得通俗一点", "wording", "请用通俗易懂的话。"),
        ("Call me Anna.", "address", "Call the user Anna."),
        ("叫我小王吧", "address", "请称呼用户为小王。"),
    ],
)
def test_wish_is_heard(text: str, topic: str, words: str) -> None:
    (wish,) = wishes_in(text)
    assert (wish.topic, wish.text, wish.id, wish.scope) == (topic, words, f"wish:{topic}", "conversation")


@pytest.mark.parametrize(
    "text",
    [
        "Is the manual in Chinese?",
        "Do you speak Chinese?",
        "Don't answer in Chinese",
        "The warranty is short",
        "I want a short cable",
        "can I speak to a person in English?",
        "The clerk asked me to reply in Chinese yesterday",
        "Could you give us more details about the phone?",
        "Please call me ASAP",
        "说明书有中文吗",
        "这本书是用中文写的",
        "不要用中文回答",
        "保修期短吗",
        "短一点的数据线有吗",
        "我想买简洁的台灯",
        "具体是多少钱",
        "请打电话叫我",
        "",
    ],
)
def test_mention_is_no_wish(text: str) -> None:
    assert wishes_in(text) == ()


def test_two_wishes_in_one_message() -> None:
    language, length = wishes_in("以后都用中文回答，简短一点")
    assert (language.topic, length.topic) == ("language", "length")


def test_wish_for_one_answer_holds_for_one_turn() -> None:
    assert [wish.scope for wish in wishes_in("这次用英文回答")] == ["turn"]
    assert [wish.scope for wish in wishes_in("Answer in English just this once")] == ["turn"]


def test_wish_is_withdrawn() -> None:
    assert withdrawn_in("You don't have to be so brief") == ("length",)
    assert withdrawn_in("不用那么简短了") == ("length",)
    assert withdrawn_in("forget my preferences") == ("*",)
    assert withdrawn_in("退货要几天") == ()
    assert wishes_in("no need to keep it short") == ()


def test_pasted_text_is_no_wish_and_takes_no_time() -> None:
    assert wishes_in("x " * 4_000 + "keep it short") == ()
    assert wishes_in("用" * 1_000_000) == ()
    assert wishes_in("please " * 1_000_000) == ()


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("way too long", "Keep answers short."),
        ("太啰嗦了", "回答请简短。"),
        ("not enough detail", "Answer in detail."),
        ("不够具体", "请详细回答。"),
        ("should be in English", "Always answer in English."),
        ("没用中文", "请始终用中文回答。"),
        ("too robotic", "Use a friendly, casual tone."),
        ("看不懂", "请用通俗易懂的话。"),
    ],
)
def test_bad_rating_says_what_to_do_better(reason: str, words: str) -> None:
    (wish,) = wishes_from_feedback(reason, score=-1.0)
    assert (wish.text, wish.source) == (words, "feedback")


def test_good_rating_complains_of_nothing() -> None:
    assert wishes_from_feedback("not too long, great", score=1.0) == ()
    assert wishes_from_feedback("", score=-1.0) == ()


def test_edited_reply_shows_what_was_wanted() -> None:
    assert wishes_from_edit("Seven days.", "七天。")[0].text == "请始终用中文回答。"
    assert wishes_from_edit("七天内可以退货。", "Within seven days.")[0].text == "Always answer in English."
    assert (
        wishes_from_edit("You can return it within seven days of delivery.", "Seven days.")[0].topic
        == "length"
    )
    assert wishes_from_edit("Seven days.", "Eight days.") == ()
    assert wishes_from_edit("", "Eight days.") == ()


SHORT = Instruction(id="short", text="Be short.", source="feedback", topic="style")
WARM = Instruction(id="warm", text="Be warm.", source="feedback", topic="style")


def rated(choice: Choice, id: str, scores: list[float]) -> Choice:
    for score in scores:
        choice = choice.rated(id, score=score)
    return choice


def test_liked_variant_is_picked_more_often() -> None:
    choice = Choice(name="style", variants=(SHORT, WARM))
    choice = rated(rated(choice, "short", [-1.0] * 10), "warm", [1.0] * 10)
    picked = [choice.pick(Random(seed)).id for seed in range(100)]
    assert picked.count("warm") > 95


def test_unrated_variants_are_picked_equally() -> None:
    shares = [one.share for one in Choice(name="style", variants=(SHORT, WARM)).explain()]
    assert shares == pytest.approx([0.5, 0.5], abs=0.03)


def test_explanation_gives_counts_and_chances() -> None:
    choice = rated(Choice(name="style", variants=(SHORT, WARM), memory=None), "warm", [1.0, 1.0, -1.0, 0.0])
    best, other = choice.explain()
    assert (best.id, best.num_ratings, best.successes, best.failures) == ("warm", 4, 2.5, 1.5)
    assert best.mean == pytest.approx(3.5 / 6)
    assert (other.id, other.num_ratings, other.mean) == ("short", 0, 0.5)
    assert best.share + other.share == pytest.approx(1.0)


def test_old_ratings_fade_for_all_variants() -> None:
    choice = rated(Choice(name="style", variants=(SHORT, WARM), memory=10.0), "warm", [1.0] * 5)
    choice = rated(choice, "short", [-1.0] * 100)
    assert choice.arm("warm").successes < 0.001
    assert choice.arm("warm").num_ratings == 5
    assert choice.arm("short").failures < 11


def test_choice_can_be_reset_and_change_its_variants() -> None:
    choice = rated(Choice(name="style", variants=(SHORT, WARM)), "warm", [1.0] * 5)
    assert choice.reset().arms == {}
    plain = Instruction(id="plain", text="Be plain.", source="feedback", topic="style")
    changed = choice.with_variants(WARM, plain)
    assert changed.arm("warm").num_ratings == 5
    assert changed.arm("plain").num_ratings == 0


def test_wrong_ratings_are_misuse() -> None:
    choice = Choice(name="style", variants=(SHORT, WARM))
    with pytest.raises(ValueError, match="no variant 'cold'"):
        choice.rated("cold", score=1.0)
    with pytest.raises(ValueError, match="lies in"):
        choice.rated("warm", score=2.0)
    with pytest.raises(ValueError, match="two variants with one id"):
        Choice(name="style", variants=(SHORT, SHORT))


def test_choice_survives_in_the_store(store: SqlStore) -> None:
    choice = rated(Choice(name="style", variants=(SHORT, WARM)), "warm", [1.0, -1.0])
    setting = store.get_setting("choice:style")
    store.put_setting("choice:style", choice.model_dump(mode="json"), expected_version=setting.version)
    assert Choice.model_validate(store.get_setting("choice:style").value) == choice


def test_learning_beats_choosing_at_random() -> None:
    """A small version of `benchmarks/instructions.py`: regret over 500 ratings, against 50 at random."""
    chances = {"short": 0.5, "warm": 0.7}
    regrets = []
    for seed in range(9):
        random, choice = Random(seed), Choice(name="style", variants=(SHORT, WARM))
        regret = 0.0
        for _ in range(500):
            picked = choice.pick(random).id
            choice = choice.rated(picked, score=1.0 if random.random() < chances[picked] else -1.0)
            regret += 0.7 - chances[picked]
        regrets.append(regret)
    assert sorted(regrets)[4] < 25
