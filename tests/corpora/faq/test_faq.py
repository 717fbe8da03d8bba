"""FAQ entries from logs: which questions are one, which answer is given, where it comes from."""

import json
from datetime import UTC, datetime

import pytest

from corpora.faq.choosing import choose
from corpora.faq.entries import Entry, propose, write_faq
from corpora.faq.exchanges import exchanges
from corpora.faq.grouping import same_questions
from corpora.mining.review import write_review
from dialog.knowledge.documents import read_sources
from dialog.testing import HashEmbedder
from dialog.values import Message, Transcript

ASK_ZH, ASK_EN = "退货的运费由谁承担？", "How long does a refund take?"


def talk(id, *said, day=1):
    roles = ("user", "assistant")
    time = datetime(2024, 5, day, tzinfo=UTC)
    return Transcript(
        id=id,
        messages=tuple(
            Message(role=roles[place % 2], content=text, time=time) for place, text in enumerate(said)
        ),
    )


def only(transcript):
    (exchange,) = exchanges(transcript)
    return exchange


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        ("谢谢，明白了", "thanked"),
        ("Thank you, that helps", "thanked"),
        ("没用，还是不行", "refuted"),
        ("That is not what I asked", "refuted"),
        ("好的", "open"),
        ("And my other order", "open"),
    ],
)
def test_outcome_is_what_the_customer_says_next(after, outcome):
    assert only(talk("a", ASK_ZH, "运费由我们承担，无需支付。", after)).outcome == outcome


def test_thanks_for_nothing_is_no_thanks():
    said = (ASK_EN, "It takes five working days.", "Thanks, but that did not work")
    assert only(talk("a", *said)).outcome == "refuted"


def test_statements_greetings_and_questions_back_are_no_exchanges():
    assert list(exchanges(talk("a", "My parcel is late again today", "I am sorry to hear that."))) == []
    assert list(exchanges(talk("b", "你好？", "您好，请问有什么可以帮您？"))) == []
    assert list(exchanges(talk("c", ASK_ZH, "请问您的订单号是多少呢？"))) == []


def test_question_without_a_mark_asks_too():
    assert only(talk("a", "怎么申请退货", "在订单页面点击申请退货即可。")).question == "怎么申请退货"
    assert only(talk("b", "how do I return my jacket", "Use the returns page of your account.")).answer.text


def test_question_that_leans_on_what_was_said_is_counted_and_not_proposed():
    said = ("推荐一家酒店好吗？", "推荐北京饭店，离您很近。", "它的电话是多少？", "它的电话是 0109876。")
    proposed = propose([talk("a", *said), talk("b", *said)], HashEmbedder())
    assert (proposed.num_exchanges, proposed.num_leaning) == (4, 2)
    assert [entry.question for entry in proposed.entries] == ["推荐一家酒店好吗？"]


def test_equal_words_are_one_question_and_figures_part_them():
    questions = [
        "Can I return it after 7 days?",
        "can I return it after 7 days",
        "Can I return it after 30 days?",
        "可以退货吗？",
        "不可以退货吗？",
    ]
    groups = same_questions(questions, HashEmbedder(), similarity=0.5)
    assert [0, 1] in groups
    assert [group for group in groups if group != [0, 1]] == [[2], [3], [4]]
    assert same_questions([], HashEmbedder()) == []


def test_answer_that_most_agree_with_wins():
    said = ["运费由我们承担，您无需支付。", "我们承担运费，您无需支付。", "请联系快递公司咨询此事。"]
    group = [only(talk(str(n), ASK_ZH, text)) for n, text in enumerate(said)]
    chosen = choose(group)
    assert chosen.exchange.answer.text in said[:2]
    assert chosen.agreeing == 2


def test_thanked_answer_beats_an_open_one_and_a_refuted_one():
    group = [
        only(talk("a", ASK_EN, "Refunds arrive after the parcel was inspected.", "that is wrong")),
        only(talk("b", ASK_EN, "It depends on your bank, please ask there.", "thanks, solved")),
        only(talk("c", ASK_EN, "Somebody from billing can tell you more.", "ok")),
    ]
    assert choose(group).exchange.place.conversation == "b"


def test_latest_of_equals_wins():
    group = [
        only(talk("new", ASK_EN, "A refund takes three working days.", day=20)),
        only(talk("old", ASK_EN, "A refund takes ten working days.", day=2)),
    ]
    assert choose(group).exchange.place.conversation == "new"


def test_answers_with_other_figures_are_a_conflict():
    group = [
        only(talk("new", ASK_EN, "A refund takes 3 working days.", day=20)),
        only(talk("old", ASK_EN, "A refund takes 10 working days.", day=2)),
    ]
    assert choose(group).conflict.answer.text == "A refund takes 10 working days."


def test_denial_is_a_conflict_too():
    group = [
        only(talk("a", "礼品卡可以退货吗？", "礼品卡可以退货。", day=9)),
        only(talk("b", "礼品卡可以退货吗？", "礼品卡不可以退货。")),
    ]
    assert choose(group).conflict.place.conversation == "b"


def test_no_exchange_is_no_choice():
    with pytest.raises(ValueError, match="no exchange"):
        choose([])


def test_entry_links_back_and_says_when():
    logs = [
        talk("a", ASK_ZH, "运费由我们承担，您无需支付。", "谢谢", day=2),
        talk("b", "您好", "您好", ASK_ZH, "我们承担运费，您无需支付。", day=5),
    ]
    proposed = propose(logs, HashEmbedder())
    (entry,) = proposed.entries
    assert (entry.question, entry.count, entry.thanked, entry.accept) == (ASK_ZH, 2, 1, False)
    assert {(link.conversation, link.question_turn, link.answer_turn) for link in entry.links} == {
        ("a", 0, 1),
        ("b", 2, 3),
    }
    assert entry.updated == "2024-05-05"


def test_question_without_two_answers_that_agree_is_counted_and_not_proposed():
    said = ["Ask your bank for that, please.", "Our colleagues in billing will write."]
    proposed = propose([talk(str(n), ASK_EN, text) for n, text in enumerate(said)], HashEmbedder())
    assert (proposed.entries, proposed.num_disagreeing) == ([], 2)


def test_question_of_one_conversation_is_counted_as_rare():
    logs = [talk("a", ASK_EN, "It takes five working days.", ASK_EN, "It takes five working days, as said.")]
    proposed = propose(logs, HashEmbedder())
    assert (proposed.entries, proposed.num_exchanges, proposed.num_rare) == ([], 2, 2)


def entry(**given):
    known = {
        "question": ASK_EN,
        "answer": "Five days.",
        "count": 1,
        "agreeing": 1,
        "thanked": 0,
        "refuted": 0,
    }
    link = {"conversation": "a", "question_turn": 0, "answer_turn": 1}
    return Entry.model_validate({**known, "links": [link], **given})


def test_faq_is_what_the_index_reads(tmp_path):
    path = tmp_path / "faq.jsonl"
    write_faq(path, [entry(updated="2024-05-05"), entry(question=ASK_ZH, answer="我们承担。")])
    (first, second) = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert first["source"] == "a#1"
    (loaded,) = read_sources([path])
    answers = [loaded.document.text[slice(*block.answer)] for block in loaded.blocks if block.answer]
    assert answers == ["Five days.", "我们承担。"]
    assert second["question"] == ASK_ZH


def test_verbs_go_from_log_to_faq(data, write, tmp_path, monkeypatch):
    monkeypatch.setattr("corpora.verbs.faq.embedder_of", lambda run: HashEmbedder())
    logs = [
        talk(str(n), ASK_ZH, f"我们承担运费，{name}您无需支付。", "谢谢").model_dump(
            mode="json", exclude_defaults=True
        )
        for n, name in enumerate(["", "", "王小明先生，"])
    ]
    log = write("log.jsonl", *logs)
    review, out = tmp_path / "faq.toml", tmp_path / "faq.jsonl"
    result = data("faq", log, "--out", review, "--json")
    assert json.loads(result.out)["entries"] == 1
    assert "王小明" not in review.read_text(encoding="utf-8")
    assert data("accept", review, "--out", out).code == 0
    assert out.read_text(encoding="utf-8") == ""
    review.write_text(review.read_text(encoding="utf-8").replace("accept = false", "accept = true"))
    assert data("accept", review, "--out", out).code == 0
    assert json.loads(out.read_text(encoding="utf-8"))["question"] == ASK_ZH


def test_personal_or_contradicted_entries_are_not_published(data, tmp_path):
    for number, trouble in enumerate([{"personal": True}, {"conflict": "Ten days."}]):
        review = tmp_path / f"{number}.toml"
        write_review(review, "entry", [entry(accept=True, **trouble)], about={})
        result = data("accept", review, "--out", tmp_path / "faq.jsonl")
        assert result.code == 1
        assert "reword and unmark" in result.err
        assert not (tmp_path / "faq.jsonl").exists()
