"""From files to examples: what is lost is counted, and a division does not depend on the order."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from corpora.schema import TranscriptReader, write_transcripts
from dialog.errors import CorpusError
from dialog.testing import WordTokenizer
from dialog.values import Message, Transcript
from training.data import held_out, make_examples
from training.previewing import counts, left_out


def talk(number: int, *, loss: bool | None = None) -> Transcript:
    asked, told = [("Where is it?", "On its way."), ("在哪里？", "在路上。")][number % 2]
    return Transcript(
        id=f"c-{number}",
        messages=(Message(role="user", content=asked), Message(role="assistant", content=told, loss=loss)),
    )


def test_files_become_examples_with_their_hashes(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    write_transcripts(path, [talk(0), talk(1)])
    data = make_examples(list(TranscriptReader(path)), WordTokenizer(), limit_tokens=200, paths=[path])
    assert (data.num_conversations, len(data.examples)) == (2, 2)
    assert 0 < data.num_supervised < data.num_tokens
    assert data.sha256 == {str(path): hashlib.sha256(path.read_bytes()).hexdigest()}


def test_refused_conversations_are_counted_by_reason() -> None:
    data = make_examples(
        [talk(0), talk(1, loss=False), talk(2, loss=False)], WordTokenizer(), limit_tokens=200
    )
    assert data.refused == {'every agent message has "loss": false or weight N': 2}


def test_data_without_a_trained_token_is_refused() -> None:
    with pytest.raises(CorpusError, match="no token would be trained on"):
        make_examples([talk(0, loss=False)], WordTokenizer(), limit_tokens=200)


def test_a_division_is_the_same_whatever_the_order() -> None:
    talks = [talk(number) for number in range(200)]
    train, valid = held_out(talks, share=0.2, seed=1)
    again, _ = held_out(talks[::-1], share=0.2, seed=1)
    assert {one.id for one in train} == {one.id for one in again}
    assert len(train) + len(valid) == 200
    assert 20 <= len(valid) <= 60
    assert held_out(talks, share=0.2, seed=2)[1] != valid


def test_a_folder_has_one_hash_of_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "mails"
    folder.mkdir()

    def hashed() -> dict[str, str]:
        paths = [folder, Path("-")]
        return make_examples([talk(0)], WordTokenizer(), limit_tokens=200, paths=paths).sha256

    (folder / "a.eml").write_text("一", encoding="utf-8")
    before = hashed()
    assert set(before) == {str(folder)}
    (folder / "b.eml").write_text("two", encoding="utf-8")
    assert hashed() != before
    (folder / "b.eml").unlink()
    assert hashed() == before


@pytest.mark.parametrize("words", [("Question?", "Answer."), ("问题？", "回答。")])
def test_all_that_is_too_long_is_counted_and_told(words: tuple[str, str]) -> None:
    def of(name: str, *lengths: int) -> Transcript:
        messages = []
        for length in lengths:
            messages.append(Message(role="user", content=words[0]))
            messages.append(Message(role="assistant", content=" ".join([words[1]] * length)))
        return Transcript(id=name, messages=tuple(messages))

    data = make_examples([of("a", *[4] * 20), of("b", 500), of("c", 1)], WordTokenizer(), limit_tokens=100)
    (shortened,) = (number for note, number in data.notes.items() if "oldest turns" in note)
    assert shortened > 5
    assert [reason for reason in data.refused if "N tokens where 100 are allowed" in reason]
    told = list(counts(data, num_held_out=0))
    assert f"{shortened} x trained on without its oldest turns, which exceed the limit" in told
    assert any(line.startswith("1 not trained on: ") for line in told)
    assert any(line.startswith("held out: 1 not") for line in left_out(data, of="held out: "))
