"""The made dialogues are what they say: one message decides, in its words or in none that stand there."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from benchmarks._evidence_made import How, made


def words(text: str, language: str) -> set[str]:
    """Of Chinese, each two characters that stand together."""
    found = re.findall(r"\w+", text.lower())
    return set(found) if language == "en" else {a + b for run in found for a, b in pairwise(run)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_copied_reply_stands_in_its_evidence_alone(language: str) -> None:
    decided = set()
    for dialogue in made(60, seed=5, how="copied", language=language):
        *shown, reply = [one.content for one in dialogue.transcript.messages]
        (value,) = re.findall(r"\d+", reply)
        holding = [f"m{number}" for number, text in enumerate(shown) if value in text]
        assert holding == [dialogue.evidence]
        decided.add(dialogue.evidence)
    assert decided == {"m0", "m1", "m2", "m3", "m4"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_paraphrase_shares_no_word_with_its_evidence(language: str) -> None:
    for dialogue in made(60, seed=5, how="paraphrased", language=language):
        messages = dialogue.transcript.messages
        evidence = messages[int(dialogue.evidence[1:])].content
        shared = words(messages[-1].content, language) & words(evidence, language)
        assert not shared, (evidence, messages[-1].content)


@pytest.mark.parametrize("how", ["copied", "paraphrased"])
def test_a_seed_gives_the_same_dialogues_and_another_gives_others(how: How) -> None:
    first, again, other = (list(made(8, seed=seed, how=how)) for seed in (0, 0, 1))
    assert first == again
    assert not {one.transcript.messages for one in first} & {one.transcript.messages for one in other}
    assert [one.language for one in first] == ["en", "en", "zh", "zh"] * 2
