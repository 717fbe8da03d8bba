"""Nothing a reply says is obeyed by the terminal; everything that is text survives."""

from __future__ import annotations

import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.guard.terminal import MAX_STRING_CHARS, TerminalFilter, safe_text

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            list("\x1b\x9b\x9d\x90\x9c\x07\r\n\t\b\x00\x7f\x85[]P\\^_;:?0m1H52c/(B~ \u202e\u2066\ud800")
        ),
        st.characters(),
    )
)


def is_forbidden(char: str) -> bool:
    bidi = unicodedata.bidirectional(char) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    control = unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t"
    return bidi or control or char in "\u200e\u200f\u061c\u2028\u2029"


def fed_in_pieces(text: str, cuts: list[int]) -> str:
    screen = TerminalFilter()
    bounds = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    shown = [screen.feed(text[a:b]) for a, b in pairwise(bounds)]
    return "".join(shown) + screen.flush()


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b[?1049h\x1b[>4;1mx", "x"),
        ("\x9b31mred", "red"),
        ("\x1b]0;title\x07a", "a"),
        ("\x1b]52;c;aGVsbG8=\x1b\\a", "a"),
        ("\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x9d52;c;aGVsbG8=\x9ca", "a"),
        ("\x1bP+q544e\x1b\\a", "a"),
        ("\x90payload\x9ca", "a"),
        ("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\a", "a"),
        ("\x1b]52;c;never ended", ""),
        ("\x1b]52;c;never ended\nnext line", "\nnext line"),
        ("\x1b]0;a\x1b[31mb", "b"),
        ("\x1bca\x1b7b\x1b(Bc\x1b#8d", "abcd"),
        ("balance 100\rbalance 999", "balance 100\nbalance 999"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("pay\b\b\bgive", "paygive"),
        ("a\x00b\x07c\x7fd\x84e", "abcde"),
        ("a\x0bb\x0cc\x85d\u2028e", "a\nb\nc\nd\ne"),
        ("\u202eevil\u202c \u2066x\u2069\u200f", "evil x"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("\x1b", ""),
        ("\x1b[", ""),
        ("\x1b中文", "中文"),
        ("\x1b[中文", "中文"),
    ],
)
def test_control_is_removed_and_text_kept(hostile: str, shown: str) -> None:
    assert safe_text(hostile) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain, [31m brackets] and ]52;c; stay",
        "退货需在 7 天内申请，运费由买家承担。\n\t- 例外：定制商品",
        "👨‍👩‍👧‍👦 ❤️ 🇨🇳 👍🏽 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f e\u0301",
        "[/INST] [bold]not markup[/bold] <|im_end|>",
        "한국어 日本語 ไทย",
    ],
)
def test_text_survives_unchanged(text: str) -> None:
    assert safe_text(text) == text


@given(HOSTILE, st.lists(st.integers(min_value=0), max_size=8))
def test_cuts_change_nothing(text: str, cuts: list[int]) -> None:
    assert fed_in_pieces(text, cuts) == safe_text(text)


@given(HOSTILE)
def test_character_by_character_gives_the_same(text: str) -> None:
    screen = TerminalFilter()
    assert "".join(screen.feed(char) for char in text) == safe_text(text)


@given(HOSTILE)
def test_no_forbidden_character_passes(text: str) -> None:
    assert [char for char in safe_text(text) if is_forbidden(char)] == []


@given(HOSTILE)
def test_what_was_made_safe_stays_as_it_is(text: str) -> None:
    once = safe_text(text)
    assert safe_text(once) == once


def test_an_unfinished_sequence_hides_a_bounded_part() -> None:
    shown = safe_text("\x1b]" + "x" * (MAX_STRING_CHARS + 10))
    assert shown == "x" * 10


def test_an_unfinished_sequence_takes_no_memory() -> None:
    screen = TerminalFilter()
    screen.feed("\x1b]52;")
    for _ in range(1000):
        screen.feed("\x1b]")
    assert all(not isinstance(value, str) or len(value) < 20 for value in vars(screen).values())


def test_flush_forgets_the_unfinished_sequence() -> None:
    screen = TerminalFilter()
    screen.feed("a\x1b]52;c;")
    screen.flush()
    assert screen.feed("b") == "b"


def test_a_hostile_megabyte_is_done_in_a_second() -> None:
    hostile = ("\x1b[31m退货\x1b]0;x\x07 plain text of a reply\r\n" * 30_000)[:1_000_000]
    started = time.process_time()
    safe_text(hostile)
    assert time.process_time() - started < 1
