"""`replay consent` and `record`: nothing leaves the store without leave, or with personal data."""

import json

import pytest

from dialog.errors import DialogError
from dialog.replay import recording
from dialog.store import open_store
from dialog.store.transfer import from_transcript
from dialog.values import Transcript
from tests.replay.conftest import talk

TALKS = (
    talk("phone 13812345678", ("我的电话是13812345678，订单 MK-20481 呢？", "已发货。")),
    talk("en", ("Write to ann@example.org about MK-10482.", "It is sent.")),
    talk("private", ("Nobody may read this.", "All right.")),
)


@pytest.fixture
def store(tmp_path):
    """The command's store with the talks above."""
    with open_store(f"sqlite:///{tmp_path / 'live.db'}") as store:
        for one in TALKS:
            store.add(from_transcript(Transcript.model_validate(one)))
    return ("--set", f"store.url=sqlite:///{tmp_path / 'live.db'}")


def test_only_conversations_with_consent_are_recorded_and_scrubbed(command, store, tmp_path):
    out = tmp_path / "recorded.jsonl"
    nothing = command("replay", "record", "--out", out, *store)
    assert (nothing.code, out.exists()) == (1, False)
    assert command("replay", "consent", "phone 13812345678", "en", "--by", "Ann", *store).code == 0
    result = command("replay", "record", "--out", out, "--json", *store)
    assert (result.code, json.loads(result.out)) == (0, {"recorded": 2, "left_out": 1}), result.err
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    text = out.read_text("utf-8")
    assert "13812345678" not in text
    assert "ann@example.org" not in text
    assert "Nobody" not in text
    assert "MK-20481" in text
    assert "MK-10482" in text
    assert all(one["meta"]["consent"]["time"] for one in lines)
    assert all(one["id"].startswith("live-") for one in lines)


def test_consent_can_be_withdrawn(command, store, tmp_path):
    command("replay", "consent", "en", "--by", "Ann", *store)
    assert command("replay", "consent", "en", "--withdraw", *store).code == 0
    assert command("replay", "record", "--out", tmp_path / "x.jsonl", *store).code == 1


def test_consent_needs_a_name_and_a_conversation_that_is_there(command, store):
    assert command("replay", "consent", "en", *store).code == 2
    assert command("replay", "consent", "elsewhere", "--by", "Ann", *store).code != 0


def test_without_a_scrubber_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setattr(recording.sys, "executable", "/bin/false")
    out = tmp_path / "out.jsonl"
    with pytest.raises(DialogError, match="nothing is written"):
        recording.scrubbed(iter([Transcript.model_validate(TALKS[1])]), out)
    assert list(tmp_path.glob("*out*")) == []
