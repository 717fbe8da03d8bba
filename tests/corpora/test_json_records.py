"""JSON objects one at a time: every layout, bounded, each with its line."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.files import Source
from corpora.json_records import json_records
from dialog.errors import CorpusError
from tests.corpora.conftest import Write

LARGE = 600_000
VALUES = [{"a": 'q"]}\\', "b": [{"c": "你好"}]}, {}, {"d": "\n[{"}]
objects = st.dictionaries(
    st.text(),
    st.recursive(st.text() | st.integers() | st.none(), lambda deeper: st.lists(deeper), max_leaves=5),
)


def values(path: Path, *wrappers: str) -> list[Any]:
    return [record.value or record.problem for record in json_records(Source(path), wrappers=wrappers)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(one) for one in VALUES),
        json.dumps(VALUES),
        json.dumps(VALUES, indent=1, ensure_ascii=False),
        "\ufeff" + json.dumps(VALUES),
        "\n".join(json.dumps(one, indent=2) for one in VALUES),
        json.dumps({"count": 3, "users": [{"x": [1]}], "items": VALUES, "next": None}),
        json.dumps({"first": "a,b", "items": VALUES}, indent=2),
    ],
    ids=["lines", "array", "indented array", "mark", "in a row", "wrapped", "wrapped, indented"],
)
def test_every_layout_gives_the_same_objects(write: Write, text: str) -> None:
    found = list(json_records(Source(write("a.json", text)), wrappers=("items",)))
    assert [record.value for record in found] == VALUES


def test_a_key_that_is_no_wrapper_makes_the_object_a_record(write: Write) -> None:
    path = write("a.json", json.dumps({"messages": [{"x": 1}]}))
    assert values(path, "items") == [{"messages": [{"x": 1}]}]


def test_each_object_knows_the_line_it_begins_on(write: Write) -> None:
    path = write("a.json", '[\n{"a": 1},\n\n  {"b":\n 2}, {"c": 3}]')
    assert [record.line for record in json_records(Source(path))] == [2, 4, 5]


def test_a_broken_object_of_an_array_is_told_and_the_next_is_read(write: Write) -> None:
    broken, good = values(write("a.json", '[{"a": nonsense}, {"b": 2}]'))
    assert "not JSON" in broken
    assert good == {"b": 2}


def test_an_object_nested_too_deeply_is_told_and_the_next_is_read(write: Write) -> None:
    deep, good = values(write("a.json", '[{"a":' + "[" * 100_000 + "]" * 100_000 + '}, {"b": 2}]'))
    assert "recursion limit" in deep
    assert good == {"b": 2}


@pytest.mark.parametrize(
    "large",
    [
        '"' + r"\"" * LARGE + '"',
        "[1," * (LARGE // 2) + "0" + "]" * (LARGE // 2),
    ],
)
def test_an_object_that_is_too_large_is_told_and_the_next_is_read(
    write: Write, monkeypatch: pytest.MonkeyPatch, large: str
) -> None:
    monkeypatch.setattr("corpora.json_records.MAX_RECORD_BYTES", LARGE)
    too_long, good = values(write("a.json", '[{"a": ' + large + '}, {"b": 2}]'))
    assert too_long == f"longer than {LARGE} bytes; split the conversation"
    assert good == {"b": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1}, {"b": 2}', "the array does not end"),
        ('[{"a": 1}, {"b": [2}', "does not end; the file is cut off"),
        ('[{"a": 1}, 7]', "expected an object, found '7'"),
        ('{"items": [{"a": 1}], "more": ', "the outer object does not end"),
    ],
)
def test_a_file_that_is_cut_off_is_an_error(write: Write, text: str, said: str) -> None:
    with pytest.raises(CorpusError, match=r"a\.json:1: ") as caught:
        values(write("a.json", text), "items")
    assert said in str(caught.value)


def test_nan_is_refused(write: Write) -> None:
    (told,) = values(write("a.json", '[{"a": NaN}]'))
    assert "not JSON" in told


@settings(max_examples=30, deadline=None)
@given(found=st.lists(objects, min_size=1, max_size=4), indent=st.sampled_from([None, 1]))
def test_whatever_json_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, found: list[Any], indent: int | None
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(found, indent=indent), encoding="utf-8")
    assert [record.value for record in json_records(Source(path))] == found


def test_an_array_is_read_in_the_memory_of_a_few_objects(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("w") as file:
        file.write("[" + ",\n".join(json.dumps({"id": n, "text": "x" * 2000}) for n in range(4000)) + "]")
    tracemalloc.start()
    num_read = sum(1 for _ in json_records(Source(path)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert num_read == 4000
    assert peak < 3_000_000 < path.stat().st_size
