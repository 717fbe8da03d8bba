"""Conversations made from documents: what they say, what is thrown out, and what each came from."""

import json
from pathlib import Path
from random import Random

import pytest

from corpora.synth.filters import Filters
from corpora.synth.making import Conversation, Made, conversations, reworded
from corpora.synth.passages import topics
from corpora.synth.phrasings import asked_about, leaning, put
from corpora.synth.run import Synthesis, synthesise
from corpora.synth.wording import ModelWording
from dialog.errors import CorpusError
from dialog.testing import HashEmbedder, ScriptedModel
from dialog.values import Passage, SearchResult

RETURNS = """# Returns

## Refunds

We refund within five working days of inspection. Shipping is not refunded.

## Exclusions

Engraved items and opened food cannot be returned to us at all.
"""
RETURNS_ZH = """# 退换货

## 退款时间

我们在验货后五个工作日内退款，原路退回。运费不退。

## 不能退的商品

刻字商品和已开封的食品不能退货，请您谅解。
"""
FAQ = '{"question": "保修期多久？", "answer": "所有帐篷保修两年，从签收之日算起。"}\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "returns.en.md").write_text(RETURNS, encoding="utf-8")
    (folder / "returns.zh.md").write_text(RETURNS_ZH, encoding="utf-8")
    (folder / "faq.jsonl").write_text(FAQ, encoding="utf-8")
    return folder


class Shelf:
    """A retriever that always finds the same passages."""

    fingerprint = "shelf"

    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.histories: list[int] = []

    def search(self, query, *, top_k, history=(), where=None):
        self.histories.append(len(history))
        known = {"text": "-", "source": "-", "title": "-", "score": 1, "char_start": 0, "char_end": 1}
        passages = tuple(Passage(id=own, **known) for own in self.ids)
        return SearchResult(query=query, abstain=not self.ids, confidence=1.0, passages=passages)


def all_topics(shop: Path):
    return topics([shop], limit_words=24).topics


def test_topics_are_faq_entries_and_headed_sections(shop):
    found = {topic.heading: topic for topic in all_topics(shop)}
    assert set(found) == {"Refunds", "Exclusions", "退款时间", "不能退的商品", "保修期多久？"}
    assert found["保修期多久？"].answer == "所有帐篷保修两年，从签收之日算起。"
    assert found["Refunds"].answer.startswith("We refund within five working days")
    assert all(topic.answer in topic.text for topic in found.values())


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\x00\x01")
    read = topics([tmp_path], limit_words=100)
    assert [skip.source for skip in read.skipped] == ["a.bin"]


def test_heading_that_asks_is_the_question():
    draw = Random(0)
    assert asked_about("How do I pay", language="en", draw=draw) == "How do I pay?"
    assert asked_about("怎么付款", language="zh", draw=draw) == "怎么付款？"
    assert "the warranty" in asked_about("The warranty", language="en", draw=draw)
    assert "退款时间" in asked_about("退款时间", language="zh", draw=draw)


def test_capitals_that_mean_something_stay():
    asked = {put("VAT invoices, how?", language="en", draw=Random(n)) for n in range(20)}
    assert all("VAT" in one for one in asked)
    assert len(asked) > 3
    assert all("refunds" in leaning("Refunds", language="en", draw=Random(n)) for n in range(20))


def test_same_seed_makes_the_same_and_another_makes_others(shop):
    found = all_topics(shop)
    assert list(conversations(found, seed=1)) == list(conversations(found, seed=1))
    assert list(conversations(found, seed=1)) != list(conversations(found, seed=2))


def test_follow_up_is_about_another_section_of_the_document(shop):
    for one in conversations(all_topics(shop), seed=0, variants=4):
        first = one.turns[0].topic
        for turn in one.turns:
            if turn.kind == "follow-up":
                assert turn.topic.document == first.document
                assert turn.topic.passage_id != first.passage_id


def test_question_whose_passage_is_not_found_again_is_thrown_out(shop):
    first, *_ = conversations(all_topics(shop), seed=0)
    filters = Filters(Shelf("other"))
    assert list(filters([first])) == []
    assert filters.dropped["question: not found again"] == 1


def test_follow_up_is_searched_with_the_turns_before(shop):
    made = next(one for one in conversations(all_topics(shop), seed=0) if len(one.turns) > 1)
    shelf = Shelf(made.turns[0].topic.passage_id)
    (kept,) = Filters(shelf)([made])
    assert kept.turns == made.turns[:1]
    assert shelf.histories == [0, 2]


def test_unanswerable_question_that_finds_something_is_thrown_out():
    turn = Made("unanswerable", "昨晚的足球赛谁赢了？", "我不知道。", None, "zh")
    one = Conversation(0, (turn,))
    assert list(Filters(Shelf())([one])) == [one]
    filters = Filters(Shelf("a"))
    assert list(filters([one])) == []
    assert filters.dropped["unanswerable: the documents may answer it"] == 1


def test_question_in_another_language_is_thrown_out(shop):
    first, *_ = (one for one in conversations(all_topics(shop), seed=0) if one.turns[0].language == "zh")
    other = reworded(first, "When do I get my money back?", made_by="model x")
    filters = Filters(Shelf(first.turns[0].topic.passage_id))
    assert list(filters([other])) == []
    assert filters.dropped["question: another language than its answer's"] == 1


def test_equal_conversations_stay_once(shop):
    first, *_ = conversations(all_topics(shop), seed=0)
    first = Conversation(0, first.turns[:1])
    filters = Filters(Shelf(first.turns[0].topic.passage_id))
    assert len(list(filters([first, Conversation(1, first.turns)]))) == 1
    assert filters.dropped["conversation: resembles an earlier one"] == 1


def test_written_conversations_say_that_they_are_made_and_from_what(shop, tmp_path):
    out = tmp_path / "made.jsonl"
    report = synthesise([shop], out, Synthesis(variants=3, seed=1), embedder=HashEmbedder())
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert report.num_written == len(lines) > 0
    texts = {"returns.en.md": RETURNS, "returns.zh.md": RETURNS_ZH}
    num_quoted = 0
    for line in lines:
        assert line["tags"] == ["synthetic"]
        assert line["meta"]["synthetic"] is True
        assert len(line["meta"]["made_from"]) * 2 == len(line["messages"])
        for number, known in enumerate(line["meta"]["made_from"]):
            if known.get("source") in texts and "char_start" in known:
                answer = texts[known["source"]][known["char_start"] : known["char_end"]]
                assert line["messages"][2 * number + 1]["content"] == answer
                num_quoted += 1
    assert num_quoted > 0


def test_documents_without_sections_are_an_error(tmp_path):
    empty = tmp_path / "a.md"
    empty.write_text("x\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="nothing to ask about"):
        synthesise([empty], tmp_path / "o.jsonl", Synthesis(), embedder=HashEmbedder())


def test_model_words_the_question_and_never_the_answer(shop):
    refunds = next(topic for topic in all_topics(shop) if topic.heading == "Refunds")
    wording = ModelWording(ScriptedModel(["1. Question: When is my money back? It is quick."]), name="m")
    assert wording.question(refunds, seed=0) == "When is my money back?"


@pytest.mark.parametrize(
    "written", ["I cannot help.", "What is a customer's question about refunds?", "这段资料说了什么？"]
)
def test_model_that_asks_nothing_or_about_its_task_gives_none(shop, written):
    refunds = next(topic for topic in all_topics(shop) if topic.heading == "Refunds")
    assert ModelWording(ScriptedModel([written]), name="m").question(refunds, seed=0) is None


@pytest.mark.parametrize("written", ['A customer would ask: "When is it paid?"', "问题：When is it paid?"])
def test_words_that_lead_to_the_question_are_cut(shop, written):
    refunds = next(topic for topic in all_topics(shop) if topic.heading == "Refunds")
    assert ModelWording(ScriptedModel([written]), name="m").question(refunds, seed=0) == "When is it paid?"


def test_verb_tells_what_it_threw_out(data, shop, tmp_path, monkeypatch):
    monkeypatch.setattr("corpora.verbs.synth.embedder_of", lambda run: HashEmbedder())
    result = data("synth", shop, "--out", tmp_path / "made.jsonl", "--limit", "2", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["made"] == 4
    assert told["conversations"] + told["dropped"].get("question: not found again", 0) <= 4
