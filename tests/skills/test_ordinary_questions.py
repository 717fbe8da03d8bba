"""With every skill enabled, what customers ask of a shop still goes to the grounded answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from dialog.cli.skill_checks import problems
from dialog.routing import routed
from dialog.settings import SkillsSection
from dialog.skill import Skill
from dialog.state import DialogState, Slot
from dialog.testing import FixedTools, FixedTurn
from skills.answer import Answer
from skills.generate import Generate
from skills.intents import Intents
from skills.opinion import Opinion
from skills.recommend import Recommend
from skills.sentiment import SentimentSkill
from skills.summarize import Summarize
from skills.support import Support
from skills.triples import Triples

Options = Mapping[str, Mapping[str, JsonValue]]

EXAMPLES = Path(__file__).parents[2] / "examples"
QUESTIONS = [
    *(
        json.loads(line)["question"]
        for name in ("answerable", "unanswerable")
        for line in (EXAMPLES / "questions" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ),
    *("How long do I have to return a tent?", "Where is my parcel?", "thanks", "is the Wren tent good?"),
    *("退货运费谁出", "我的包裹到哪里了？", "谢谢", "帐篷好用吗？", "帐篷多少钱"),
]


def skills() -> list[Skill]:
    kinds = (
        *(Answer, Generate, Intents, Opinion, Recommend),
        *(SentimentSkill, Summarize, Support, Triples),
    )
    return [kind() for kind in kinds]


@pytest.fixture
def configured(tmp_path: Path) -> Options:
    """A catalogue, news and a graph: all that makes those skills wanted at all, but for flows."""
    catalogue, graph = tmp_path / "catalogue.csv", tmp_path / "graph.jsonl"
    catalogue.write_text("id,title,tags,price\nt1,Alderwing,tent,399\n", encoding="utf-8")
    tools = FixedTools(options={"triples": {"graph": str(graph)}})
    texts = ("The capital of France is Paris.", "故宫的票价是60元。")
    list(Triples().work([Triples.spec.input(text=text) for text in texts], tools))
    return {
        "recommend": {"items": str(catalogue)},
        "opinion": {"news": str(tmp_path / "news.jsonl")},
        "triples": {"graph": str(graph)},
    }


def misrouted(options: Options, state: DialogState | None = None) -> list[tuple[str, str]]:
    """Each question that goes elsewhere, and where."""
    all_skills, tools = skills(), FixedTools(options=options)
    found = []
    for text in QUESTIONS:
        turn = FixedTurn(text, tools=tools, state=state or DialogState())
        route = routed(all_skills, turn, SkillsSection())
        assert not route.notices
        if route.skill.spec.name != "answer" or route.rivals:
            found.append((text, route.skill.spec.name))
    return found


def test_every_skill_has_a_name_for_people_in_both_languages() -> None:
    for skill in skills():
        assert all(skill.spec.titles.get(language) for language in ("zh", "en")), skill.spec.name


def test_as_installed_every_question_is_answered_from_the_documents() -> None:
    assert len(QUESTIONS) > 300
    assert misrouted({}) == []


def test_with_all_that_skills_may_be_given_too(configured: Options) -> None:
    assert misrouted(configured) == []


def test_and_after_a_recommendation(configured: Options) -> None:
    shown = {"wish": {}, "shown": ["t1"]}
    state = DialogState(slots={"recommend": Slot(value=shown, source="m")})
    assert misrouted(configured, state) == []


def test_every_skill_keeps_the_rules_without_options() -> None:
    assert [found for skill in skills() for found in problems(skill.spec.name, skill)] == []
