"""What may enter a prompt."""

from __future__ import annotations

import time

import pytest

from dialog.guard.control import MessageTooLarge, clean, defuse


@pytest.mark.parametrize("text", ["", "Hello", "你好\n\t", "<|im_end|>", "e\u0301 é ﬁ Ａ", "👩‍👩‍👧"])
def test_ordinary_text_is_untouched(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.text == text
    assert cleaned.removed == ()


def test_nul_is_removed_and_told() -> None:
    assert clean("or\x00der") == type(clean(""))("order", ("NUL",))


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    cleaned = clean("a\ud83d b")
    assert cleaned.text == "a\ufffd b"
    assert cleaned.removed == ("lone surrogate",)


def test_a_surrogate_pair_becomes_its_character() -> None:
    assert clean("\ud83d\ude00").text == "😀"


def test_size_is_counted_in_bytes_of_utf8() -> None:
    assert clean("客" * 10, max_bytes=30).text == "客" * 10
    with pytest.raises(MessageTooLarge, match="31 bytes and at most 30"):
        clean("客" * 10 + "a", max_bytes=30)


@pytest.mark.parametrize("text", ["a" * 10_000_000, "e" + "\u0301" * 1_000_000, "<|" * 500_000])
def test_huge_messages_are_refused_quickly(text: str) -> None:
    started = time.process_time()
    with pytest.raises(MessageTooLarge):
        clean(text, max_bytes=999_999)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "marker",
    ["<|im_start|>", "<|eot_id|>", "<think>", "</tool_call>", "[INST]", "<<SYS>>", "</s>", "<｜User｜>"],
)
def test_defused_markers_are_no_longer_there(marker: str) -> None:
    defused = defuse(f"a {marker} b")
    assert marker not in defused
    assert defused.replace("\u2060", "") == f"a {marker} b"


@pytest.mark.parametrize("text", ["a < b and c > d", "[1] Title", "1 <s 2", "他说<不>", "x[0]|y|"])
def test_defusing_leaves_other_text_alone(text: str) -> None:
    assert defuse(text) == text


def test_defusing_takes_linear_time() -> None:
    started = time.process_time()
    defuse("<|" * 500_000)
    assert time.process_time() - started < 2
