"""What is not in the documents: admitted, asked about, or handed to a person, in both languages."""

from pathlib import Path

import pytest

from dialog.knowledge.base import open_knowledge
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection
from dialog.testing import HashEmbedder, ScriptedModel

SECTION = KnowledgeSection(embedder="hash")
DOCUMENTS = {
    "returns.md": "# Returns\n\nYou may return unused goods within 30 days. The label costs $6.\n",
    "退货.md": "# 退货\n\n签收后七天内可以无理由退货，运费由买家承担。\n",
}
MISSING = {"en": "Do you sell quantum chromodynamics textbooks?", "zh": "量子色动力学教材有卖吗？"}
SAID = {
    ("abstain", "en"): "I don't know",
    ("abstain", "zh"): "我不知道",
    ("ask", "en"): "I am not sure I understood",
    ("ask", "zh"): "我不太确定您的意思",
    ("hand_off", "en"): "I found nothing about this",
    ("hand_off", "zh"): "在我掌握的资料中没有找到",
}


@pytest.fixture
def knowledge(tmp_path: Path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    build_index(tmp_path / "index", [folder], SECTION, embedder=HashEmbedder())
    with open_knowledge(tmp_path / "index", SECTION, embedder=HashEmbedder()) as knowledge:
        yield knowledge


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("on_missing", "finish_reason"),
    [("abstain", "abstained"), ("ask", "abstained"), ("hand_off", "handed_off")],
)
def test_question_the_documents_do_not_answer(make_agent, knowledge, language, on_missing, finish_reason):
    model = ScriptedModel(["unused"])
    agent = make_agent(model, knowledge, [f"knowledge.on_missing='{on_missing}'"])
    reply = agent.reply(MISSING[language], conversation_id="c")
    assert reply.text.startswith(SAID[on_missing, language])
    assert (reply.finish_reason, reply.citations, model.prompts) == (finish_reason, (), [])
    assert (agent.state("c").handoff.status == "waiting") == (on_missing == "hand_off")


@pytest.mark.parametrize("question", ["Within how many days may I return goods?", "签收后几天内可以退货？"])
@pytest.mark.parametrize("on_missing", ["abstain", "ask", "hand_off"])
def test_question_they_do_answer_is_answered(make_agent, knowledge, question, on_missing):
    agent = make_agent(ScriptedModel(["unused"] * 3), knowledge, [f"knowledge.on_missing='{on_missing}'"])
    assert agent.reply(question).citations


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("Within how many days may I return goods?", "Do you sell boats?"),
        ("签收后几天内可以退货？", "你们卖船吗？"),
    ],
)
def test_change_of_topic_is_not_answered_from_the_old_one(make_agent, knowledge, before, then):
    agent = make_agent(ScriptedModel(["unused"] * 3), knowledge)
    agent.reply(before, conversation_id="c")
    assert agent.reply(then, conversation_id="c").finish_reason == "abstained"
