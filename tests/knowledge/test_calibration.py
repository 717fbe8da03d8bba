"""An index's own curves: fitted on given or made questions, kept, used, and known to be stale."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dialog.errors import CorpusError, KnowledgeError
from dialog.knowledge.abstain import CURVES, Curve, Evidence
from dialog.knowledge.calibrate import calibrate
from dialog.knowledge.calibration import FILE_NAME, read_calibration, sketch
from dialog.knowledge.fitting import Judged, best_threshold, figures, fit_curve
from dialog.knowledge.questions import GivenQuestion, read_questions

TOPICS = {
    "en": [
        "tent",
        "stove",
        "kettle",
        "lamp",
        "boots",
        "rope",
        "map",
        "jacket",
        "bottle",
        "axe",
        "pan",
        "mat",
    ],
    "zh": ["帐篷", "气炉", "水壶", "头灯", "靴子", "绳索", "地图", "夹克", "水瓶", "斧头", "煎锅", "睡垫"],
}
COLOURS = [
    "crimson",
    "amber",
    "violet",
    "teal",
    "ivory",
    "khaki",
    "indigo",
    "maroon",
    "olive",
    "coral",
    "navy",
    "lilac",
]


@pytest.fixture
def trade(shelf):
    """Twelve things in each language, each with two passages of its own words."""
    for i, (thing, colour) in enumerate(zip(TOPICS["en"], COLOURS, strict=True)):
        shelf.write(
            f"{thing}.md",
            f"# {thing.title()}\n\nEvery {colour} {thing} weighs {i + 3}00 grams, in pocket {i + 1}.\n\n"
            f"## Care\n\nWash that {colour} {thing} with vinegar, dry by window {i + 1} overnight.\n",
        )
    for i, thing in enumerate(TOPICS["zh"]):
        shelf.write(
            f"{thing}.md",
            f"# {thing}\n\n{thing}重{i + 3}百克，折叠以后可以放进{i + 1}号背包的侧袋里面携带。\n\n"
            f"## 保养\n\n清洗{thing}请使用温水和中性肥皂，然后放在{i + 1}号架子上晾干一个晚上。\n",
        )
    shelf.section = shelf.section.model_copy(update={"chunk_tokens": 24})
    shelf.build()
    return shelf


def run(shelf, **options):
    return calibrate(shelf.index, shelf.section, embedder=shelf.embedder, **options)


def test_documents_alone_calibrate_both_languages(trade):
    found = run(trade)
    assert set(found.languages) == {"en", "zh"}
    for fit in found.languages.values():
        assert fit.num_answerable >= 20
        assert fit.figures.auroc > 0.7
        assert 0 < fit.threshold < 1
    assert found.origin == "made from the documents"


def test_same_seed_gives_the_same_curves(trade):
    found = run(trade, seed=1)
    assert run(trade, seed=1).languages == found.languages
    assert run(trade, seed=0).languages != found.languages


def test_search_judges_by_the_index_own_curve(trade):
    found = run(trade)
    never = {language: fit.model_copy(update={"threshold": 1.0}) for language, fit in found.languages.items()}
    with trade.open() as knowledge:
        assert not knowledge.search("crimson tent weighs grams", top_k=1).abstain
        path = trade.index / FILE_NAME
        path.write_text(found.model_copy(update={"languages": never}).model_dump_json())
        assert knowledge.search("crimson tent weighs grams", top_k=1).abstain


def test_calibration_survives_indexing_and_rebuilding(trade):
    before = run(trade)
    trade.write("new.md", "# New\n\nSomething new.\n")
    trade.build(section=trade.section)
    trade.build(section=trade.section, rebuild=True)
    assert read_calibration(trade.index) == before
    with trade.open() as knowledge:
        assert not knowledge.calibrated().is_stale


def test_much_changed_index_is_stale(trade):
    run(trade)
    for file in trade.documents.glob("*.md"):
        file.write_text("# Other\n\nAll of this is about something else now, in " + file.name + ".\n")
    trade.build(section=trade.section)
    with trade.open() as knowledge:
        assert knowledge.calibrated().is_stale
        assert "changed since it was calibrated" in knowledge.calibrated().why_stale


def test_another_embedders_calibration_is_not_used(trade):
    found = run(trade)
    (trade.index / FILE_NAME).write_text(
        found.model_copy(update={"embedder_fingerprint": "other"}).model_dump_json()
    )
    with trade.open() as knowledge:
        assert "another embedder" in knowledge.calibrated().why_stale
        assert not knowledge.search("crimson tent weighs grams", top_k=1).abstain


def test_given_questions_are_used_and_named(trade):
    given = [
        GivenQuestion(question=f"How heavy is the {colour} {thing}?", answerable=True)
        for thing, colour in zip(TOPICS["en"], COLOURS, strict=True)
    ] * 2 + [GivenQuestion(question=f"Who wrote novel {i}?", answerable=False) for i in range(24)]
    found = run(trade, given=given, origin="asked.jsonl")
    assert found.origin == "asked.jsonl"
    assert (found.languages["en"].num_answerable, found.languages["en"].num_unanswerable) == (24, 24)
    assert "zh" not in found.languages
    assert any(note.startswith("zh: 0 answerable") for note in found.notes)


def test_missing_kind_is_made_and_said(trade):
    given = [GivenQuestion(question=f"How heavy is the {c} thing?", answerable=True) for c in COLOURS] * 2
    found = run(trade, given=given)
    assert found.languages["en"].num_unanswerable > 20
    assert "en: no unanswerable questions were given; they were made from the documents" in found.notes


def test_too_few_questions_change_nothing(shop):
    with pytest.raises(KnowledgeError, match=r"cannot be calibrated: en: .* are too few"):
        run(shop)
    assert read_calibration(shop.index) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}'])
def test_damaged_calibration_names_the_way_out(shop, content):
    (shop.index / FILE_NAME).write_text(content)
    with shop.open() as knowledge, pytest.raises(KnowledgeError, match="index calibrate"):
        knowledge.search("When do you open?", top_k=1)


def test_curve_is_pulled_towards_the_one_it_starts_from():
    judged = [Judged(Evidence(0.8 + i / 100, 0.75, 0.1 * i), i > 4) for i in range(10)]
    free = fit_curve(judged, prior=CURVES["en"], pull=0.1).curve
    held = fit_curve(judged, prior=CURVES["en"], pull=1e6).curve
    assert abs(held.coverage - CURVES["en"].coverage) < 0.01 < abs(free.coverage - CURVES["en"].coverage)


def test_threshold_parts_the_kinds():
    assert best_threshold(np.array([0.1, 0.2, 0.6, 0.9]), np.array([False, False, True, True])) == 0.45


def test_figures_of_a_perfect_and_a_reversed_order():
    kinds = np.array([True, False])
    assert figures(np.array([1.0, 0.0]), kinds, threshold=0.5).auroc == 1.0
    assert figures(np.array([0.0, 1.0]), kinds, threshold=0.5).auroc == 0.0
    assert figures(np.array([1.0, 0.0]), kinds, threshold=0.5).calibration_error == 0.0


def test_sketches_estimate_how_much_is_shared(trade):
    found = run(trade)
    with trade.open() as knowledge:
        ids = list(found.sketch)
        assert knowledge.calibrated() is not None
    assert found.overlap(ids) == 1.0
    assert found.overlap([f"x{i}" for i in range(300)]) == 0.0
    assert sketch(reversed(ids)) == found.sketch


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Expecting"),
        ('{"question": "Hi?"}', "answerable"),
        ('{"question": "", "answerable": true}', "question"),
    ],
)
def test_bad_line_of_questions_says_where(tmp_path, line, problem):
    file = tmp_path / "asked.jsonl"
    file.write_text(json.dumps({"question": "保修多久？", "answerable": True}) + "\n\n" + line + "\n")
    with pytest.raises(CorpusError, match=rf"asked.jsonl:3: .*{problem}"):
        read_questions(file)


def test_questions_are_read_with_their_history(tmp_path):
    file = tmp_path / "asked.jsonl"
    row = {
        "id": "1",
        "question": "那运费呢？",
        "answerable": False,
        "history": [{"role": "user", "content": "能退吗"}],
    }
    file.write_text(json.dumps(row))
    (question,) = read_questions(file)
    assert (question.spoken, question.answerable, question.history[0].content) == ("zh", False, "能退吗")


def test_curve_rises_with_every_piece_of_evidence():
    curve = Curve(bias=0, cosine=1, background=1, coverage=1, lead=1)
    base = Evidence(0.1, 0.1, 0.1, 0.1)
    assert curve(replace(base, lead=0.5)) > curve(base)
