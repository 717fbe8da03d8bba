"""Deltas are whole characters, join to the text, and never show a stop string."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.engine.detokenize import Detokenizer, StopStrings
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.testing.tiny import tiny_tokenizer

TOKENIZER = HFChatTokenizer(tiny_tokenizer())
TEXT_IDS = range(3, 266)

readable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"))


def stream(ids: list[int]) -> list[str]:
    detokenizer = Detokenizer(TOKENIZER.decode)
    return [*map(detokenizer.feed, ids), detokenizer.flush()]


@given(readable)
def test_a_character_comes_whole_or_not_yet(text: str) -> None:
    pieces = stream(TOKENIZER.encode(text)[0])
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


@given(st.lists(st.sampled_from(TEXT_IDS)))
def test_broken_bytes_too_join_to_the_decoded_text(ids: list[int]) -> None:
    assert "".join(stream(ids)) == TOKENIZER.decode(ids)


def test_chinese_and_emoji_wait_for_their_last_byte() -> None:
    assert stream(TOKENIZER.encode("你😀a")[0]) == ["", "你", "", "", "", "😀", "a", ""]


def test_an_unfinished_character_shows_at_the_end() -> None:
    ids, _ = TOKENIZER.encode("a😀")
    assert stream(ids[:-1])[-1] == "\ufffd"


def test_a_real_replacement_character_is_kept() -> None:
    assert "".join(stream(TOKENIZER.encode("a\ufffd\ufffdb")[0])) == "a\ufffd\ufffdb"


def test_broken_bytes_do_not_stop_the_stream() -> None:
    continuation = TOKENIZER.encode("你")[0][-1]
    pieces = stream([continuation] * 20)
    assert "".join(pieces[:-1]) == "\ufffd" * 17


def through(stops: tuple[str, ...], pieces: list[str]) -> tuple[str, bool]:
    strings = StopStrings(stops)
    shown = ""
    for piece in pieces:
        passed = strings.feed(piece)
        shown += passed.text
        if passed.stopped:
            return shown, True
    return shown + strings.flush(), False


@given(
    st.lists(st.text("ab<", max_size=3), max_size=8),
    st.lists(st.text("ab<", min_size=1, max_size=4), max_size=3),
)
def test_what_is_shown_ends_where_the_first_stop_string_begins(pieces: list[str], stops: list[str]) -> None:
    text = "".join(pieces)
    shown, stopped = through(tuple(stops), pieces)
    assert stopped == any(stop in text for stop in stops)
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    if not stopped:
        assert shown == text


def test_a_stop_string_across_pieces_is_found() -> None:
    assert through(("\nUser:",), ["Yes.", "\nUs", "er", ": more"]) == ("Yes.", True)


def test_text_that_only_began_like_a_stop_string_is_shown() -> None:
    assert through(("\nUser:",), ["Yes.\nUs", "ually"]) == ("Yes.\nUsually", False)


def test_the_chinese_stop_string_is_held_back_until_decided() -> None:
    strings = StopStrings(["用户："])
    assert strings.feed("好的。用").text == "好的。"
    assert strings.feed("处").text == "用处"


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        StopStrings([""])
