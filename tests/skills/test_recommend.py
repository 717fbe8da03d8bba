"""Recommendation: wishes are read in both languages, held over turns, and every pick says why."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dialog.errors import SkillError
from dialog.events import TextDelta
from dialog.state import DialogState, Slot
from dialog.testing import FixedTools, FixedTurn, HashEmbedder, ScriptedModel
from skills.recommend import Asked, Recommend
from skills.recommend.behaviour import Behaviour, Taken
from skills.recommend.catalogue import Catalogue, Item
from skills.recommend.critique import Wish, read_wish
from skills.recommend.features import COLUMNS, Features
from skills.recommend.fusion import EVEN, Weights, fit, load_weights, softmax_regression
from skills.recommend.instructions import INTENTIONS, PREFERENCES, TASKS, Instruction, matching_scores, render
from skills.recommend.ranking import Shop

CASES = [json.loads(line) for line in Recommend.spec.cases.read_text(encoding="utf-8").splitlines()]
SHOP = """id,title,tags,price
t1,Nordwand Tent 雪原帐篷,tent,899
t2,Meadow Tent 草地帐篷,tent,399
t3,Loft Tent 云顶帐篷,tent,1299
b1,Ridge Boots 山脊登山靴,boots,459
"""
ORDERS = "user,item,time\n" + "".join(f"u{n},{item},{n}\n" for n in range(4) for item in ("b1", "t2"))


@pytest.fixture
def tools(tmp_path: Path) -> FixedTools:
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    files = {"items": str(tmp_path / "shop.csv"), "behaviour": str(tmp_path / "orders.csv")}
    return FixedTools(options={"recommend": files})


def said(skill: Recommend, turn: FixedTurn) -> str:
    return "".join(event.text for event in skill.run(turn) if isinstance(event, TextDelta))


def after(turn: FixedTurn, text: str, tools: FixedTools) -> FixedTurn:
    slots = {name: Slot(value=value, source="m") for name, value in turn.slots.items()}
    return FixedTurn(text, state=DialogState(slots=slots), tools=tools)


@pytest.mark.parametrize("case", CASES, ids=[case["input"]["text"] for case in CASES])
def test_case(case: dict[str, dict[str, object]]) -> None:
    (found,) = Recommend().work([Asked.model_validate(case["input"])], FixedTools())
    told = found.model_dump(mode="json")
    assert {name: told[name] for name in case["expect"]} == case["expect"]


@pytest.mark.parametrize(
    ("first", "second"), [("recommend a tent", "cheaper please"), ("推荐一顶帐篷", "便宜一点")]
)
def test_a_critique_is_about_what_was_shown(tools: FixedTools, first: str, second: str) -> None:
    skill = Recommend()
    turn = FixedTurn(first, tools=tools)
    assert skill.matches(turn) > 0.8
    assert "Tent" in said(skill, turn)
    shop_slot = turn.slots["recommend"]
    assert set(shop_slot["shown"]) == {"t1", "t2", "t3"}
    turn.slots["recommend"] = shop_slot | {"shown": ["t1", "t3"]}
    following = after(turn, second, tools)
    assert skill.matches(following) > 0.8
    assert "Meadow Tent" in said(skill, following)
    assert following.slots["recommend"]["wish"]["max_price"] == 898.99


@pytest.mark.parametrize(
    "text",
    ["anything else?", "not the Loft Tent", "I do not want tents", "换一个", "不要帐篷", "还有别的吗？"],
)
def test_a_refusal_or_another_one_is_a_critique(tools: FixedTools, text: str) -> None:
    turn = FixedTurn("recommend a tent", tools=tools)
    said(Recommend(), turn)
    assert Recommend().matches(after(turn, text, tools)) > 0.8


@pytest.mark.parametrize(
    "text",
    [
        "What if I do not like it, may I return it?",
        "Is it not waterproof?",
        "When is the next sale?",
        "The tent is cheaper this week than when I ordered it. Anything you can do?",
        "有没有四人帐？",
        "怎么换货？",
        "这周便宜了，能补偿吗？",
        "我没有收到包裹",
    ],
)
def test_a_question_after_a_recommendation_is_left_to_the_documents(tools: FixedTools, text: str) -> None:
    turn = FixedTurn("推荐一顶帐篷", tools=tools)
    said(Recommend(), turn)
    assert Recommend().matches(after(turn, text, tools)) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "What temperature do you recommend for green tea?",
        "How do you suggest I clean the kettle?",
        "What should I get back if I paid with a gift card?",
        "绿茶推荐的水温是多少度？",
        "有类似的问题怎么办？",
    ],
)
def test_a_question_with_such_a_word_is_no_wish(tools: FixedTools, text: str) -> None:
    assert Recommend().matches(FixedTurn(text, tools=tools)) == 0.0


def test_nothing_cheaper_is_said_and_not_filled_up(tools: FixedTools) -> None:
    skill = Recommend()
    turn = FixedTurn("推荐50元以内的帐篷", tools=tools)
    assert said(skill, turn).startswith("没有同时满足")
    assert turn.slots["recommend"]["shown"] == []


def test_a_known_customer_is_told_which_past_item_speaks_for_it(tools: FixedTools) -> None:
    state = DialogState(slots={"user": Slot(value="new", source="m")})
    turn = FixedTurn("I loved Ridge Boots 山脊登山靴, recommend something", state=state, tools=tools)
    assert "you took Ridge Boots 山脊登山靴, and 4 others took both" in said(Recommend(), turn)


def test_without_a_catalogue_it_keeps_quiet_and_says_what_is_missing() -> None:
    turn = FixedTurn("recommend something")
    assert Recommend().matches(turn) == 0.0
    with pytest.raises(SkillError, match="items ="):
        list(Recommend().run(turn))


def test_later_words_win() -> None:
    catalogue = Catalogue([Item(id="1", title="x", tags=("horror", "comedy"))])
    wish = read_wish("no horror", catalogue).then(read_wish("well, horror is fine", catalogue))
    assert (wish.wanted, wish.unwanted) == (("horror",), ())


def test_an_unknown_price_does_not_pass_a_limit() -> None:
    assert not Wish(max_price=10).allows(Item(id="1", title="x"))


def test_columns_equal_their_definitions() -> None:
    draw = np.random.default_rng(0)
    events = [
        Taken(user=str(user), place=int(place), time_s=float(step))
        for user in range(12)
        for step, place in enumerate(draw.permutation(8)[:4])
    ]
    past = Behaviour(events, num_items=8)
    features = Features(past, Catalogue([Item(id=str(n), title=str(n)) for n in range(8)]))
    taken = past.taken.astype(float)
    history = [1, 5]
    columns = features.of(history, now_s=10.0)
    inverse = np.linalg.inv(taken.T @ taken + 300 * np.eye(8))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    row = np.zeros(8)
    row[history] = 1
    np.testing.assert_allclose(columns[:, COLUMNS.index("ease")], row @ weights, atol=1e-6)
    cosine = (taken.T @ taken) / np.sqrt(np.outer(taken.sum(0), taken.sum(0)))
    np.fill_diagonal(cosine, 0)
    np.testing.assert_allclose(columns[:, COLUMNS.index("item_item")], row @ cosine, atol=1e-5)


def test_the_future_does_not_count_as_recent() -> None:
    events = [Taken(user="a", place=0, time_s=1.0), Taken(user="b", place=1, time_s=9.0)]
    features = Features(Behaviour(events, num_items=2), Catalogue([Item(id=n, title=n) for n in "ab"]))
    recent = features.of([], now_s=5.0)[:, COLUMNS.index("recent_popularity")]
    assert recent[0] > 0
    assert recent[1] == 0


def test_weights_find_the_column_that_tells() -> None:
    draw = np.random.default_rng(1)
    lists = draw.normal(size=(300, 10, 3))
    lists[:, 0, 1] += 2
    found = softmax_regression(lists)
    assert found[1] > 1.5
    assert abs(found[0]) < 0.3


def test_weights_are_learned_kept_and_equal_for_equal_seeds(tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    events = [
        Taken(user=f"u{user}", place=int((start + step) % 40), time_s=float(step))
        for user, start in enumerate(draw.integers(0, 40, size=60))
        for step in range(12)
    ]
    catalogue = Catalogue([Item(id=str(n), title=f"item {n}") for n in range(40)])
    users = [f"u{n}" for n in range(30)]
    weights = fit(events, catalogue, users=users)
    assert weights == fit(events, catalogue, users=users)
    assert dict(zip(weights.columns, weights.values, strict=True))["sequence"] > 0.5
    weights.save(tmp_path / "w.json")
    assert load_weights(tmp_path / "w.json") == weights
    assert fit(events, catalogue, users=users[:5]) == EVEN
    (tmp_path / "w.json").write_text("{}x")
    with pytest.raises(SkillError, match="delete it"):
        load_weights(tmp_path / "w.json")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_preference_intention_and_task_has_words(language: str) -> None:
    titles = ("甲", "乙", "丙")
    texts = {
        render(
            Instruction(
                preference=preference,
                intention=intention,
                task=task,
                history=("旧",),
                stated="轻便",
                wish="tent",
                candidates=titles[: {"pointwise": 1, "pairwise": 2}.get(task, 3)],
            ),
            language=language,
            wording=wording,
        )
        for preference in PREFERENCES
        for intention in INTENTIONS
        for task in TASKS
        for wording in range(2)
    }
    assert len(texts) == 3 * 3 * 4 * 2


def test_an_aspect_without_content_is_refused() -> None:
    with pytest.raises(ValueError, match="'implicit'"):
        render(Instruction(preference="implicit"), language="en")


def test_long_titles_are_not_punished() -> None:
    scores = matching_scores(ScriptedModel(), "alpha beta alpha", ["alpha", "alpha beta alpha"])
    assert scores[0] == pytest.approx(scores[1])


def test_the_model_reorders_the_head_only_when_it_has_weight() -> None:
    catalogue = Catalogue([Item(id=str(n), title=f"title{n}") for n in range(4)])
    shop = Shop(catalogue, Behaviour((), num_items=4), EVEN)
    plain = shop.pick(history=(), wish=Wish(), top_k=4)
    backwards = shop.pick(
        history=(), wish=Wish(), top_k=4, match=lambda titles: list(range(len(titles))), match_weight=1.0
    )
    assert [pick.item.id for pick in backwards] == [pick.item.id for pick in plain][::-1]


def test_descriptions_are_compared_where_there_is_an_embedder() -> None:
    items = (
        Item(id="1", title="a", text="warm winter sleeping bag"),
        Item(id="2", title="b", text="gas stove 燃气炉"),
    )
    asked = Asked(text="gas stove", candidates=items, top_k=1)
    (found,) = Recommend().work([asked], FixedTools(embedder=HashEmbedder()))
    assert found.ids == ("2",)
    (without,) = Recommend().work([asked], FixedTools())
    assert "not compared" in without.notes[0]


def test_weights_name_their_columns() -> None:
    swapped = Weights(columns=COLUMNS[::-1], values=tuple(float(n) for n in range(len(COLUMNS))))
    assert swapped.vector[0] == len(COLUMNS) - 1
