"""`answer` on records: the same words as in a conversation, from documents of the record or the index."""

from __future__ import annotations

import json

import pytest

from dialog.testing import FixedRetriever, FixedTools, HashEmbedder, ScriptedModel, passage
from dialog.values import Message
from skills.answer import Answer, Input, Output
from skills.answer.given import GivenDocuments

DOCUMENTS = ("Returns are free within 30 days.\n\nShipping to Norway costs $12.", "三十天内可以免费退货。")


def answer(item: Input, model: ScriptedModel, retriever: FixedRetriever | None = None) -> Output:
    (output,) = Answer().work(
        [item], FixedTools(model=model, embedder=HashEmbedder(dimension=512), retriever=retriever)
    )
    return output


@pytest.mark.parametrize(
    ("text", "said", "start"),
    [
        ("What does shipping to Norway cost?", "Shipping to Norway costs $12.", 34),
        ("三十天内可以免费退货吗？", "三十天内可以免费退货。", 0),
    ],
)
def test_documents_of_the_record_are_answered_from_and_cited(text: str, said: str, start: int) -> None:
    output = answer(Input(text=text, documents=DOCUMENTS), ScriptedModel([said]))
    assert (output.text, output.abstained, output.mode) == (said, False, "generated")
    (citation,) = output.citations
    number = int(citation.source.removeprefix("document "))
    assert DOCUMENTS[number - 1][citation.char_start : citation.char_end] == citation.quote
    assert citation.char_start == start


def test_a_language_the_model_does_not_write_is_quoted() -> None:
    item = Input(text="三十天内可以免费退货吗？", documents=DOCUMENTS)
    output = answer(item, ScriptedModel([], languages=("en",)))
    assert (output.text, output.mode, output.language) == ("三十天内可以免费退货。", "quoted", "zh")


@pytest.mark.parametrize("text", ["Who won the football match?", "昨晚谁赢了球赛？"])
def test_what_the_documents_do_not_say_is_admitted(text: str) -> None:
    output = answer(Input(text=text, documents=DOCUMENTS), ScriptedModel([]))
    assert (output.abstained, output.mode, output.citations) == (True, "fixed", ())


def test_without_documents_the_knowledge_base_is_searched_with_what_was_said_before() -> None:
    retriever = FixedRetriever([passage("Returns are free.")])
    before = (Message(role="user", content="Hi there, Ann"), Message(role="assistant", content="Hello."))
    item = Input(text="Are returns free?", messages=before)
    output = answer(item, ScriptedModel(["Returns are free."]), retriever)
    assert output.citations[0].source == "policy.md"
    assert [message.content for message in retriever.histories[0]] == ["Hi there, Ann", "Hello."]


def test_a_question_that_leans_on_the_one_before_finds_its_passage() -> None:
    given = GivenDocuments(DOCUMENTS, HashEmbedder(dimension=512))
    history = [Message(role="user", content="What does shipping to Norway cost?")]
    assert given.search("And how long?", top_k=1).abstain
    assert "Norway" in given.search("And how long?", top_k=1, history=history).passages[0].text


def test_the_cases_are_of_both_languages() -> None:
    path = Answer.spec.cases
    assert path is not None
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert all(Input.model_validate(case["input"]) for case in cases)
    assert min(sum(case["language"] == one for case in cases) for one in ("zh", "en")) >= 12
