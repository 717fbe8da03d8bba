"""The sample shop's texts agree with each other, in both languages, and name nobody real."""

import csv
import datetime
import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml
from rapidfuzz import fuzz, process

from dialog.text import detect_language, normalise, sentences
from dialog.values import Message, Transcript

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = EXAMPLES / "shop"
LANGUAGES = ("en", "zh")
POLICIES = ("returns", "shipping", "invoices", "warranty", "payments", "membership", "kettle")
SAMPLES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in {".md", ".csv", ".jsonl"})
NUMBER = re.compile(r"\d+(?:[.:]\d+)*")
REAL = re.compile(
    r"\b(?:amazon|ebay|etsy|walmart|ikea|paypal|stripe|visa|mastercard|fedex|ups|usps|dhl|google|apple|samsung"
    r"|coleman|msr|jetboil|petzl|stanley|lodge|hario|alibaba|taobao|jd|temu|whatsapp|telegram|klarna)\b"
    r"|淘宝|天猫|京东|拼多多|支付宝|微信|银联|顺丰|中通|圆通|申通|韵达|极兔|抖音|小米|华为|苏泊尔|膳魔师|牧高笛|花呗"
)

each_language = pytest.mark.parametrize("language", LANGUAGES)
each_sample = pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.relative_to(EXAMPLES).as_posix())


def read(name):
    return (SHOP / name).read_text(encoding="utf-8")


def json_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def faq(language):
    if language == "zh":
        return json_lines(SHOP / "faq.zh.jsonl")
    return list(csv.DictReader(read("faq.en.csv").splitlines()))


def documents(language):
    return sorted(SHOP.glob(f"*.{language}.md"))


def transcripts(name):
    lines = (EXAMPLES / "conversations" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Transcript.model_validate_json(line) for line in lines]


def all_transcripts():
    return transcripts("train") + transcripts("heldout")


def questions(kind, language):
    rows = json_lines(EXAMPLES / "questions" / f"{kind}.jsonl")
    return [row for row in rows if row["language"] == language]


def language_of(transcript):
    return next(tag.removeprefix("language:") for tag in transcript.tags if tag.startswith("language:"))


each_transcript = pytest.mark.parametrize(
    "transcript", all_transcripts(), ids=lambda transcript: transcript.id
)


# Knowledge


def test_both_languages_have_as_many_faq_entries_and_documents():
    assert len(faq("en")) == len(faq("zh")) >= 40
    assert len(documents("en")) == len(documents("zh")) >= 7


def test_the_main_topics_stand_in_both_languages():
    assert all((SHOP / f"{topic}.{language}.md").is_file() for topic in POLICIES for language in LANGUAGES)


@each_language
def test_faq_entries_are_complete_and_short(language):
    for entry in faq(language):
        assert set(entry) == {"question", "answer", "source", "updated"}
        assert datetime.date.fromisoformat(entry["updated"])
        assert entry["source"].startswith("faq.en.csv#" if language == "en" else "faq.zh.jsonl#")
        assert 1 <= len(sentences(entry["answer"])) <= 3, entry["answer"]
        assert detect_language(entry["question"]) == detect_language(entry["answer"]) == language


@each_language
@pytest.mark.parametrize("field", ["question", "answer"])
def test_no_faq_entry_is_there_twice(language, field):
    counted = Counter(re.sub(r"\W", "", normalise(entry[field])) for entry in faq(language))
    assert [text for text, count in counted.items() if count > 1] == []


@each_language
def test_documents_have_front_matter_headings_and_a_table(language):
    for path in documents(language):
        _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
        fields = yaml.safe_load(front)
        assert set(fields) == {"title", "language", "updated"}
        assert fields["language"] == language == detect_language(body)
        assert isinstance(fields["updated"], datetime.date)
        assert body.startswith("# ")
        assert body.count("\n## ") >= 3, path.name
        assert "|---|" in body, path.name


def test_every_fact_of_the_table_stands_in_every_file_named():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (EXAMPLES / "shop-facts.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| Fact ")
    ]
    assert len(rows) > 30
    missing = [
        f"{fact}: {value!r} is not in {name}"
        for fact, english, english_files, chinese, chinese_files in rows
        for value, names in ((english, english_files), (chinese, chinese_files))
        if value != "–"
        for name in names.split(", ")
        if value not in read(name)
    ]
    assert missing == []


# Conversations


def test_conversations_are_split_and_balanced():
    train, heldout = transcripts("train"), transcripts("heldout")
    assert (len(train), len(heldout)) == (20, 10)
    assert Counter(map(language_of, train)) == {"en": 10, "zh": 10}
    assert Counter(map(language_of, heldout)) == {"en": 5, "zh": 5}
    assert len({transcript.id for transcript in train + heldout}) == 30


@each_transcript
def test_conversation_alternates_and_runs_forward_in_time(transcript):
    roles = [message.role for message in transcript.messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2)
    assert 4 <= len(roles) // 2 <= 12
    times = [message.time for message in transcript.messages]
    assert all(time.tzinfo for time in times)
    assert times == sorted(set(times))


@each_transcript
def test_conversation_is_tagged_with_language_intent_and_outcome(transcript):
    assert {tag.split(":")[0] for tag in transcript.tags} == {"language", "intent", "outcome"}
    said = " ".join(message.content for message in transcript.messages if message.role == "user")
    assert language_of(transcript) == detect_language(said)
    assert transcript.id.startswith(language_of(transcript))


@each_transcript
def test_agent_states_only_numbers_it_can_know(transcript):
    """They stand in the shop's texts, were looked up (`state`), or were said by the customer."""
    known = {number for path in SHOP.glob(f"*.{language_of(transcript)}.*") for number in numbers(path)}
    known |= set(NUMBER.findall(json.dumps(transcript.state, ensure_ascii=False)))
    for message in transcript.messages:
        found = set(NUMBER.findall(message.content))
        if message.role == "assistant":
            assert found <= known, message.content
        known |= found


def numbers(path):
    return set(NUMBER.findall(path.read_text(encoding="utf-8")))


@each_language
def test_conversations_cover_hand_off_the_unanswerable_and_complaints(language):
    mine = [transcript for transcript in all_transcripts() if language_of(transcript) == language]
    tags = Counter(tag for transcript in mine for tag in transcript.tags)
    assert tags["outcome:handed_off"] >= 2
    assert tags["outcome:unanswered"] >= 2
    assert tags["intent:complaint"] >= 2
    people = [m for transcript in mine for m in transcript.messages if m.name is not None]
    assert len(people) >= 2
    statuses = {transcript.state["handoff"] for transcript in mine}
    assert statuses == {"bot", "waiting", "human"}


# Questions


@each_language
@pytest.mark.parametrize("kind", ["answerable", "unanswerable"])
def test_questions_are_many_halved_and_partly_in_context(kind, language):
    rows = questions(kind, language)
    assert len(rows) >= 60
    parts = Counter(row["part"] for row in rows)
    assert abs(parts["fit"] - parts["report"]) <= 2
    contextual = Counter(row["part"] for row in rows if "history" in row)
    assert contextual["fit"] + contextual["report"] >= 15
    assert abs(contextual["fit"] - contextual["report"]) <= 1
    for row in rows:
        assert detect_language(row["question"]) == language, row["id"]
        history = [Message.model_validate(message) for message in row.get("history", [])]
        assert [message.role for message in history] == ["user", "assistant"] * (len(history) // 2)


def test_question_ids_are_unique_and_languages_balanced():
    rows = [
        row
        for kind in ("answerable", "unanswerable")
        for language in LANGUAGES
        for row in questions(kind, language)
    ]
    assert len({row["id"] for row in rows}) == len(rows)
    assert abs(len(questions("answerable", "en")) - len(questions("answerable", "zh"))) <= 2
    assert len(questions("unanswerable", "en")) == len(questions("unanswerable", "zh"))


@each_language
def test_every_answer_stands_in_every_source_named(language):
    missing = [
        f"{row['id']}: {row['answer_contains']!r} is not in {name}"
        for row in questions("answerable", language)
        for name in row["sources"]
        if row["answer_contains"] not in read(name)
    ]
    assert missing == []


@each_language
def test_every_document_is_asked_about(language):
    asked = {name for row in questions("answerable", language) for name in row["sources"]}
    assert {path.name for path in SHOP.glob(f"*.{language}.*")} <= asked


@each_language
def test_questions_are_not_the_faq_in_its_own_words(language):
    known = [normalise(entry["question"]) for entry in faq(language)]
    for row in questions("answerable", language):
        closest, score, _ = process.extractOne(normalise(row["question"]), known, scorer=fuzz.ratio)
        assert score < 85, f"{row['question']!r} repeats {closest!r}"


def test_no_question_is_both_answerable_and_not():
    kinds = {
        kind: json_lines(EXAMPLES / "questions" / f"{kind}.jsonl") for kind in ("answerable", "unanswerable")
    }
    asked = {
        kind: {(row["question"], json.dumps(row.get("history"))) for row in rows}
        for kind, rows in kinds.items()
    }
    assert not asked["answerable"] & asked["unanswerable"]
    assert [len(rows) for rows in kinds.values()] == [len(rows) for rows in asked.values()]


# Nobody real


@each_sample
def test_only_example_com_and_fictional_telephones_are_named(path):
    text = path.read_text(encoding="utf-8")
    domains = re.findall(r"(?:@|https?://|www\.)([\w.-]+\w)", text)
    domains += re.findall(r"[\w-]+\.(?:com|cn|net|org|shop|store|io|co|ai)\b", text)
    assert {domain for domain in domains if domain != "example.com"} == set()
    telephones = set(re.findall(r"(?<!\d)\d{3}-\d{3}-\d{4}(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d)", text))
    assert telephones <= {"202-555-0142", "000-555-0188"}


@each_sample
def test_no_real_brand_is_named(path):
    assert REAL.findall(normalise(path.read_text(encoding="utf-8"))) == []
