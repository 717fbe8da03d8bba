"""`data split` and `data mix`: shares hold, order does not matter, nothing is in two parts."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.parts import Parts, Strata
from corpora.schema import TranscriptReader
from tests.corpora.conftest import Result, Write

Data = Callable[..., Result]


def chat(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"c-{number}",
        "messages": [{"role": "user", "content": "你好" if number % 2 else "Hi"}],
        **more,
    }


def ids(path: Path) -> list[str]:
    return [one.id for one in TranscriptReader(path)]


def parts(folder: Path) -> dict[str, set[str]]:
    return {path.stem: set(ids(path)) for path in sorted(folder.glob("*.jsonl"))}


def test_every_conversation_is_in_one_part(data: Data, write: Write, tmp_path: Path) -> None:
    result = data("split", write("a.jsonl", *map(chat, range(400))), "--out", "out", "--json")
    assert result.code == 0, result.err
    found = parts(tmp_path / "out")
    assert {name: len(one) for name, one in found.items()} == {"test": 39, "train": 321, "val": 40}
    assert len(set().union(*found.values())) == 400
    told = json.loads(result.out)["parts"]
    assert told["val"] == {"file": "out/val.jsonl", "conversations": 40}


def test_the_order_of_lines_does_not_matter(data: Data, write: Write, tmp_path: Path) -> None:
    rows = [chat(number, tags=["a" if number % 3 else "b"]) for number in range(60)]
    shuffled = random.Random(0).sample(rows, len(rows))
    for options in ([], ["--stratify", ""]):
        data("split", write("a.jsonl", *rows), "--out", "one", *options)
        data("split", write("b.jsonl", *shuffled), "--out", "two", *options)
        assert parts(tmp_path / "one") == parts(tmp_path / "two")


def test_a_conversation_keeps_its_part_as_more_come(data: Data, write: Write, tmp_path: Path) -> None:
    data("split", write("a.jsonl", *map(chat, range(50))), "--out", "one")
    data("split", write("b.jsonl", *map(chat, range(100))), "--out", "two")
    more = parts(tmp_path / "two")
    assert all(one <= more[name] for name, one in parts(tmp_path / "one").items())


def test_another_seed_is_another_division(data: Data, write: Write, tmp_path: Path) -> None:
    path = write("a.jsonl", *map(chat, range(50)))
    data("split", path, "--out", "one")
    data("split", path, "--out", "two", "--seed", 1)
    assert parts(tmp_path / "one") != parts(tmp_path / "two")


def test_a_customer_is_in_one_part_only(data: Data, write: Write, tmp_path: Path) -> None:
    rows = [chat(number, meta={"customer": number % 10}) for number in range(100)]
    data("split", write("a.jsonl", *rows), "--out", "out", "--by", "customer", "--parts", "a=1,b=1")
    customers = [
        {one.meta["customer"] for one in TranscriptReader(path) if one.meta}
        for path in (tmp_path / "out").glob("*.jsonl")
    ]
    assert len(customers) == 2
    assert all(customers)
    assert not set.intersection(*customers)


def test_conversations_without_a_customer_are_told(data: Data, write: Write) -> None:
    result = data("split", write("a.jsonl", chat(1), chat(2)), "--out", "out", "--by", "customer")
    assert "a conversation names no customer and is taken for one of its own (2 times)" in result.err


def test_by_time_the_newest_are_in_the_last_part(data: Data, write: Write, tmp_path: Path) -> None:
    rows = [chat(day) for day in range(1, 11)]
    for day, row in enumerate(rows, start=1):
        row["messages"][0]["time"] = f"2024-05-{day:02}T10:00:00Z"
    random.Random(0).shuffle(rows)
    data("split", write("a.jsonl", *rows), "--out", "out", "--by", "time", "--parts", "old=0.7,new=0.3")
    assert parts(tmp_path / "out") == {
        "new": {"c-8", "c-9", "c-10"},
        "old": {f"c-{day}" for day in range(1, 8)},
    }


def test_a_conversation_without_time_is_named(data: Data, write: Write) -> None:
    result = data("split", write("a.jsonl", chat(1)), "--out", "out", "--by", "time")
    assert result.code == 2
    assert "conversation 'c-1' has no time; divide by conversation" in result.err


def test_tags_are_spread_evenly(data: Data, write: Write, tmp_path: Path) -> None:
    rows = [chat(number, tags=["退货" if number < 80 else "物流"]) for number in range(100)]
    data("split", write("a.jsonl", *rows), "--out", "out", "--stratify", "", "--parts", "a=3,b=1")
    counts = {
        path.stem: Counter(one.tags[0] for one in TranscriptReader(path))
        for path in (tmp_path / "out").glob("*.jsonl")
    }
    assert counts == {"a": {"退货": 60, "物流": 15}, "b": {"退货": 20, "物流": 5}}


def test_many_small_strata_are_spread_over_all_parts() -> None:
    strata = Strata(Parts({"a": 0.5, "b": 0.5}), seed="0")
    for number in range(100):
        strata.add(f"c-{number}", f"tag {number}")
    strata.settle()
    assert Counter(strata.part(f"c-{number}") for number in range(100)) == {"a": 50, "b": 50}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--parts", "train=0.9"], "name two parts or more"),
        (["--parts", "train=0.9,test=0"], "each with a positive share"),
        (["--parts", "train=much,test=1"], "give NAME=SHARE"),
        (["--parts", "../x=1,test=1"], "give each part a name of its own"),
        (["--by", "time", "--stratify", "x"], "parts by time cannot be stratified"),
    ],
)
def test_bad_options_are_named(data: Data, write: Write, options: list[str], said: str) -> None:
    result = data("split", write("a.jsonl", chat(1)), "--out", "out", *options)
    assert result.code == 2
    assert said in " ".join(result.err.replace("│", " ").split())


def test_an_empty_part_is_told(data: Data, write: Write) -> None:
    assert (
        "is empty: there are too few conversations"
        in data("split", write("a.jsonl", chat(1)), "--out", "out", "--quiet").err
    )


def test_a_bad_line_leaves_no_part(data: Data, write: Write, tmp_path: Path) -> None:
    result = data("split", write("a.jsonl", chat(1), {"id": "x"}), "--out", "out")
    assert result.code == 2
    assert list((tmp_path / "out").iterdir()) == []


def test_shares_of_a_mix_follow_the_weights(data: Data, write: Write, tmp_path: Path) -> None:
    one, other = write("a.jsonl", *map(chat, range(30))), write("b.jsonl", *map(chat, range(30)))
    result = data("mix", f"{one}=2", other, "--out", "m.jsonl", "--json")
    assert json.loads(result.out)["sources"] == {
        "a": {"taken": 30, "available": 30},
        "b": {"taken": 15, "available": 30},
    }
    mixed = list(TranscriptReader(tmp_path / "m.jsonl"))
    assert Counter(one.id[0] for one in mixed[:9]) == {"a": 6, "b": 3}
    assert mixed[0].meta == {"mixed_from": {"source": "a", "id": "c-0"}}


def test_what_is_taken_does_not_depend_on_the_order(data: Data, write: Write, tmp_path: Path) -> None:
    rows = [chat(number) for number in range(40)]
    for name, given in (("x", rows), ("y", rows[::-1])):
        data(
            "mix",
            write(f"{name}/a.jsonl", *given),
            write(f"{name}/b.jsonl", *given),
            "--out",
            f"{name}.jsonl",
            "--size",
            20,
        )
    assert sorted(ids(tmp_path / "x.jsonl")) == sorted(ids(tmp_path / "y.jsonl"))
    assert len(ids(tmp_path / "x.jsonl")) == 20


def test_too_few_conversations_are_an_error_unless_they_may_repeat(
    data: Data, write: Write, tmp_path: Path
) -> None:
    one, other = write("a.jsonl", chat(1), chat(2)), write("b.jsonl", *map(chat, range(10)))
    result = data("mix", one, other, "--out", "m.jsonl", "--size", 10)
    assert result.code == 2
    assert "holds 2 conversations and 5 are wanted; lower --size or take --repeat" in result.err
    assert data("mix", one, other, "--out", "m.jsonl", "--size", 10, "--repeat").code == 0
    taken = [one for one in ids(tmp_path / "m.jsonl") if one.startswith("a/")]
    assert len(taken) == 5
    assert {"a/c-1", "a/c-2", "a/c-1#2", "a/c-2#2"} < set(taken)


def test_files_of_one_name_are_kept_apart(data: Data, write: Write, tmp_path: Path) -> None:
    data("mix", write("x/a.jsonl", chat(1)), write("y/a.jsonl", chat(1)), "--out", "m.jsonl")
    assert ids(tmp_path / "m.jsonl") == ["a/c-1", "a-2/c-1"]
