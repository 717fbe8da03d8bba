"""Whatever the bytes, a reader ends with conversations or with an error that names the place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.readers import BUILT_IN
from corpora.reading import Reading
from dialog.errors import CorpusError

FRAGMENTS = [
    *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\n", b"\r\n\r\n", b"\\", b"\0", b"NaN", b"1e999", b"null"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b\x08", b"PK\x03\x04", b"> x\n", b"conversation,role,text\n"),
    *(b"1,user,x\n", b"[10:00] \xe5\xae\xa2: x\n", b"From: a@b\nDate: x\nSubject: =?x?b?!!?=\n\n"),
    *(b"From a Wed May  1 10:00:00 2024\n", b"Content-Type: multipart/mixed; boundary=B\n\n--B\n"),
]
KEYS = (
    "id messages role content conversations from value prompt completion chosen rejected comments body "
    "source requester_id conversation_parts author original scenario Events DialogueID Agent Action turns "
    "speaker utterance frames history dial_id user_scenario instructions task_id tool_calls function name "
    "arguments tags meta state"
)
junk = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=12).map(b"".join)
keys = st.sampled_from(sorted(KEYS.split()))
words = st.text(max_size=3) | st.sampled_from(["user", "assistant", "human", "utter"])
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(keys, deeper, max_size=4),
    max_leaves=8,
)
hostile = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "a"


def ends_well(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for name in (None, *BUILT_IN):
        assert said_of(path, name).startswith(str(path))


def said_of(path: Path, name: str | None) -> str:
    """What is said about a file, its name where nothing is."""
    try:
        with Reading(path, format=name, skip_bad=5) as reading:
            list(reading)
    except CorpusError as error:
        return str(error)
    return str(path)


@hostile
@given(content=junk)
def test_junk_ends_well(path: Path, content: bytes) -> None:
    ends_well(path, content)


@hostile
@given(records=st.lists(st.dictionaries(keys, odd, min_size=1, max_size=5), min_size=1, max_size=2))
def test_json_of_odd_shapes_ends_well(path: Path, records: list[dict[str, object]]) -> None:
    ends_well(path, "\n".join(map(json.dumps, records)).encode())
