"""Intents from logs: what a conversation opens with, grouped, counted, shown without anybody's data."""

import json
import tomllib

import pytest

from corpora.mining.intents import Intent, Mining, mine
from corpora.mining.openings import opening_of
from corpora.mining.replies import usual_reply
from corpora.mining.review import read_review, write_review
from dialog.errors import CorpusError
from dialog.testing import HashEmbedder
from dialog.values import Message, Transcript

OTHERS = [
    *("礼品卡怎么用", "请问礼品卡怎么用", "礼品卡怎么用呢", "您好礼品卡怎么用"),
    *("门店几点开门", "请问门店几点开门", "门店几点开门呢", "您好门店几点开门"),
    *("what sizes does this tent have", "which sizes does this tent have"),
    *("what sizes does this tent come in", "sizes does this tent have?"),
    *("cancel my club membership", "please cancel my club membership"),
    *("cancel my club membership today", "how to cancel my club membership"),
]
PARCEL = ["包裹到哪里了", "我的包裹到哪里了", "请问包裹到哪里了", "包裹现在到哪里了呢"]
REFUND = ["I want a refund", "I want a refund now", "please, I want a refund", "hello I want a refund today"]


def talk(id, *said):
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[place % 2], content=text) for place, text in enumerate(said))
    return Transcript(id=id, messages=messages)


def log():
    for number, text in enumerate(OTHERS):
        yield talk(f"other-{number}", text, "让我看一下。")
    for number, text in enumerate(PARCEL * 3):
        yield talk(f"zh-{number}", "您好", "您好", text, "包裹已经发出，明天送达。")
    for number, text in enumerate(REFUND * 2):
        yield talk(f"en-{number}", text, "You will have your refund in 5 days.")


def test_greeting_is_no_opening():
    opening = opening_of(talk("a", "Hello", "Hello!", "Where is my parcel?", "On its way."))
    assert (opening.text, opening.place.turn, opening.reply.text) == ("Where is my parcel?", 2, "On its way.")
    assert opening_of(talk("b", "你好", "您好")) is None


def test_reply_of_several_messages_is_one():
    messages = (
        Message(role="user", content="Where is it?"),
        Message(role="assistant", content="One moment."),
        Message(role="tool", content="{}"),
        Message(role="assistant", content="It comes tomorrow."),
    )
    opening = opening_of(Transcript(id="a", messages=messages))
    assert opening.reply.text == "One moment.\nIt comes tomorrow."
    assert opening.reply.place.turn == 1


def test_intents_are_proposed_in_both_languages_with_their_counts():
    found = mine(log(), HashEmbedder(), Mining(min_count=3))
    assert [intent.count for intent in found.intents] == [12, 8, 4, 4, 4, 4]
    assert not any(intent.accept for intent in found.intents)
    zh, en, *others = found.intents
    assert "包裹" in zh.name
    assert "refund" in en.name
    assert en.reply.text == "You will have your refund in 5 days."
    named = " ".join(term for one in others for term in one.terms)
    assert all(word in named for word in ("礼品", "门店", "tent", "membership"))


def test_equal_openings_are_counted_together():
    found = mine(log(), HashEmbedder(), Mining(min_count=1))
    counts = {example.text: example.count for intent in found.intents for example in intent.example}
    assert counts["包裹到哪里了"] == 3


def test_small_groups_are_counted_and_not_proposed():
    found = mine(log(), HashEmbedder(), Mining(min_count=1000))
    assert found.intents == []
    assert found.num_rare == found.num_openings == 36


def test_empty_log_has_no_intents():
    found = mine([], HashEmbedder(), Mining())
    assert (found.intents, found.num_openings) == ([], 0)


def test_usual_reply_is_the_one_most_like_the_others():
    said = ["Refunds take five working days.", "I am new here.", "A refund takes five working days."]
    replies = [opening_of(talk(str(n), "where is my money", text)).reply for n, text in enumerate(said)]
    reply = usual_reply(replies)
    assert reply.text == "Refunds take five working days."
    assert (reply.alike, reply.of) == (2, 3)
    assert usual_reply([]) is None


def test_review_is_read_back_as_it_was_written(tmp_path):
    found = mine(log(), HashEmbedder(), Mining(min_count=3))
    path = tmp_path / "intents.toml"
    write_review(path, "intent", found.intents, about={"seed": 0})
    assert read_review(path, "intent", Intent) == found.intents


def test_review_is_not_written_over(tmp_path):
    path = tmp_path / "intents.toml"
    write_review(path, "intent", [], about={})
    with pytest.raises(CorpusError, match="is there already"):
        write_review(path, "intent", [], about={})


def test_unknown_field_of_a_review_is_named(tmp_path):
    path = tmp_path / "intents.toml"
    path.write_text('[[intent]]\nnme = "x"\n', encoding="utf-8")
    with pytest.raises(CorpusError, match=r"\[\[intent\]\] number 1: "):
        read_review(path, "intent", Intent)


def test_verb_shows_no_personal_data(data, write, tmp_path, monkeypatch):
    monkeypatch.setattr("corpora.verbs.intents.embedder_of", lambda run: HashEmbedder())
    asked = "我叫王小明，电话13812345678，包裹到哪里了"
    talks = [talk(f"13812345{n:03d}", asked + "呢" * (n % 2), "在路上。") for n in range(6)]
    lines = [one.model_dump(mode="json", exclude_defaults=True) for one in talks]
    log = write("log.jsonl", *lines)
    result = data("intents", log, "--out", tmp_path / "i.toml", "--min-count", "1", "--json")
    assert result.code == 0, result.err
    written = (tmp_path / "i.toml").read_text(encoding="utf-8")
    assert "13812345" not in written
    assert "王小明" not in written
    assert tomllib.loads(written)["intent"][0]["example"][0]["conversation"] == "log-000001"
    assert data("intents", log, "--out", tmp_path / "i.toml").code == 2


def accepted(name, texts, reply):
    return Intent.model_validate(
        {
            "name": name,
            "accept": True,
            "count": len(texts),
            "share": 0.5,
            "example": [{"text": text, "conversation": "c-1", "turn": 0} for text in texts],
            "reply": {"text": reply, "conversation": "c-1", "turn": 1, "alike": 1, "of": 1},
        }
    )


def test_accepted_intents_become_labelled_texts_and_replies(data, tmp_path):
    review, out, replies = tmp_path / "intents.toml", tmp_path / "texts.jsonl", tmp_path / "replies.jsonl"
    proposals = [
        accepted("包裹-查询", PARCEL[:2], "包裹明天送达。"),
        accepted("refund", REFUND[:2], "Call [PHONE_1]."),
        accepted("other", ["never mind"], "Fine.").model_copy(update={"accept": False}),
    ]
    write_review(review, "intent", proposals, about={})
    result = data("accept", review, "--out", out, "--replies", replies)
    assert result.code == 0
    labels = [(line["text"], line["label"]) for line in map(json.loads, out.read_text("utf-8").splitlines())]
    assert labels == [(text, "包裹-查询") for text in PARCEL[:2]] + [(text, "refund") for text in REFUND[:2]]
    (reply,) = map(json.loads, replies.read_text("utf-8").splitlines())
    assert reply == {"question": PARCEL[0], "answer": "包裹明天送达。", "source": "c-1#1"}
    assert "left out: refund" in result.err


def test_a_text_of_two_intents_is_refused_and_a_stranger_to_proposals_too(data, tmp_path):
    review, out = tmp_path / "intents.toml", tmp_path / "texts.jsonl"
    write_review(review, "intent", [accepted("a", PARCEL, "x"), accepted("b", PARCEL, "x")], about={})
    refused = data("accept", review, "--out", out)
    assert (refused.code, out.exists()) == (2, False)
    assert f"{PARCEL[0]!r} stands in 'a' and in 'b'" in refused.err
    review.write_text("[model]\nname = 'x'\n", encoding="utf-8")
    assert "[[entry]] or [[intent]]" in data("accept", review, "--out", out).err
