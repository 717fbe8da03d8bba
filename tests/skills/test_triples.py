"""Triples: read in both languages with their places, merged without losing a digit, asked with evidence."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest

from dialog.errors import SkillError
from dialog.events import TextDelta
from dialog.testing import FixedTools, FixedTurn
from skills.triples import Graph, Text, TripleLog, Triples, extract
from skills.triples.learned import Example, fit
from skills.triples.picture import picture

CASES = [json.loads(line) for line in Triples.spec.cases.read_text(encoding="utf-8").splitlines()]
EN = "The capital of France is Paris. Harbour Museum is located in Dover."
ZH = "故宫的票价是60元。故宫位于北京。"


@pytest.mark.parametrize("case", CASES, ids=[case["input"]["text"] for case in CASES])
def test_case(case: dict[str, dict[str, object]]) -> None:
    (found,) = Triples().work([Text.model_validate(case["input"])], FixedTools())
    assert found.model_dump(mode="json")["facts"] == case["expect"]["facts"]


@pytest.mark.parametrize("text", [EN, ZH])
def test_every_part_stands_where_its_span_says(text: str) -> None:
    found = extract(text, source="a.md")
    assert len(found) == 2
    for one in found:
        assert text[one.subject_span.start : one.subject_span.end] == one.subject
        assert text[one.object_span.start : one.object_span.end] == one.object
        assert text[one.evidence.start : one.evidence.end] == one.evidence.text
        assert one.evidence.source == "a.md"


def test_names_written_alike_are_one_and_digits_keep_them_apart() -> None:
    texts = (
        "Harbour Museum is located in Dover.",
        "HARBOUR Museum costs $5.",
        "Harbor Museum was founded by Ada Stone.",
        "Model 1999 costs $199.",
        "Model 1998 costs $1999.",
    )
    graph = Graph.fold(triple for text in texts for triple in extract(text))
    assert graph.merged == {"Harbour Museum": ["Harbour Museum", "Harbor Museum"]}
    assert (
        len(graph.about("ｈａｒｂｏｕｒ museum", "price"))
        == len(graph.about("Harbor Museum", "founder"))
        == 1
    )
    assert {"Model 1999", "Model 1998", "$199", "$1999"} <= set(graph.entities())


def test_the_log_grows_and_folds_to_the_same_graph(tmp_path: Path) -> None:
    log = TripleLog(tmp_path / "graph.jsonl")
    log.append(extract(EN))
    log.append(extract(ZH))
    log.append(extract(ZH))
    assert Graph.fold(log.read()).statements == [*extract(EN), *extract(ZH)]
    with log.path.open("ab") as file:
        file.write(b'{"cut off')
    assert len(list(log.read())) == 6
    log.path.write_bytes(b"{}\n")
    with pytest.raises(SkillError, match="line 1"):
        list(log.read())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the capital of France?", 'Paris (from: "The capital of France is Paris.", guide)'),
        ("where is Harbour Museum's location?", 'Dover (from: "Harbour Museum is located in Dover.", guide)'),
        ("故宫的票价是多少？", "60元（依据：“故宫的票价是60元。”，guide）"),
        ("故宫门票多少钱", "60元（依据：“故宫的票价是60元。”，guide）"),
        ("法国的首都是哪里", None),
    ],
)
def test_a_conversation_asks_the_graph(tmp_path: Path, question: str, answer: str | None) -> None:
    path = tmp_path / "graph.jsonl"
    tools = FixedTools(options={"triples": {"graph": str(path)}})
    skill = Triples()
    list(skill.work([Text(text=EN, source="guide"), Text(text=ZH, source="guide")], tools))
    turn = FixedTurn(question, tools=tools)
    assert (skill.matches(turn) > 0) is (answer is not None)
    said = "".join(event.text for event in skill.run(turn) if isinstance(event, TextDelta))
    assert said == (answer or "图谱里没有这条信息。")


def test_exports_hold_all_statements() -> None:
    graph = Graph.fold([*extract(EN), *extract(ZH)])
    told = graph.json_ld()["@graph"]
    assert [one["rdf:predicate"] for one in told if "rdf:predicate" in one] == [
        "capital",
        "located in",
        "票价",
        "位置",
    ]
    read = networkx.read_graphml(BytesIO(graph.graphml()), force_multigraph=True)
    assert {data["relation"] for _, _, data in read.edges(data=True)} == {
        "capital",
        "located in",
        "票价",
        "位置",
    }


def test_the_picture_is_one_svg_without_markup_of_the_text() -> None:
    bait = extract("故宫的馆长是<script>某</script>。")
    svg = picture(Graph.fold([*bait, *extract(EN), *extract(ZH)]))
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "<script" not in svg
    assert "故宫" in svg
    assert picture(Graph()).startswith("<svg")


def test_a_sentence_made_to_backtrack_is_done_at_once() -> None:
    assert extract("A" * 200_000) == []
    assert extract("的是" * 400 + "。") == extract("的是" * 400 + "。")


def test_an_extractor_learns_what_follows_a_question() -> None:
    people = [f"{first}{last}" for first in "王李张刘陈" for last in ("芳华", "建国", "小雨")]
    examples = [
        one
        for name in people
        for one in (
            Example(message=f"导演是{name}。", before="导演是谁？", stated=(("导演", name),)),
            Example(message=f"主演是{name}。", before="主演是谁？", stated=(("主演", name),)),
            Example(message="我也很喜欢。", before="好看吗？"),
        )
    ]
    extractor = fit(examples)
    assert extractor.extract("导演是赵大海。", before="导演是谁？") == [("导演", "赵大海")]
    assert extractor.extract("主演是赵大海。", before="主演是谁？") == [("主演", "赵大海")]
    assert extractor.extract("我也很喜欢。", before="好看吗？") == []


@pytest.mark.parametrize("text", ["What is the capital of France?", "法国的首都是哪里？"])
def test_without_a_graph_it_keeps_quiet_and_says_what_is_missing(text: str) -> None:
    turn = FixedTurn(text)
    assert Triples().matches(turn) == 0.0
    with pytest.raises(SkillError, match="graph ="):
        list(Triples().run(turn))
