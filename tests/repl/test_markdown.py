"""Markdown as it streams: the look of each line, and that the cuts of the stream do not matter."""

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dialog.guard.terminal import safe_text
from dialog.repl.markdown import MarkdownStream

MARKDOWN = st.text(
    st.sampled_from(list("ab 中，（*`#->|~12.[]()\\_\n\t")) | st.characters(), max_size=200
).map(safe_text)


def shown(*pieces, width=40, color=None):
    """What stands on a screen of `width` after the pieces."""
    file = io.StringIO()
    page = MarkdownStream(
        Console(
            file=file,
            width=width,
            force_terminal=color is not None,
            color_system=color,
            highlight=False,
            markup=False,
            emoji=False,
        )
    )
    for piece in pieces:
        page.feed(piece)
    page.finish()
    return file.getvalue()


@pytest.mark.parametrize(
    ("source", "screen"),
    [
        ("plain", "plain\n"),
        ("two\nlines", "two\nlines\n"),
        ("# Returns and **fees**", "Returns and fees\n"),
        ("#hashtag", "#hashtag\n"),
        ("- one\n* two\n+ three", "• one\n• two\n• three\n"),
        ("- one\n  - inner", "• one\n  • inner\n"),
        ("1. one\n2) two", "1. one\n2) two\n"),
        ("> said", "│ said\n"),
        ("**bold** *it* `co*de` \\*no\\*", "bold it co*de *no*\n"),
        ("**open", "**open\n"),
        ("a ** b * c", "a ** b * c\n"),
        ("2*3*4 and 2 * 3", "2*3*4 and 2 * 3\n"),
        ("snake_case_name", "snake_case_name\n"),
        ("``a`b``", "a`b\n"),
        ("运费**¥15**元", "运费¥15元\n"),
        ("a\n\n\n\nb", "a\n\nb\n"),
        ("\n\na\n\n", "a\n"),
        ("-", "-\n"),
        ("---", "─" * 40 + "\n"),
        ("12.5 kg", "12.5 kg\n"),
        ("-5 degrees", "-5 degrees\n"),
        ("```\n- *raw*\n\n```\nafter", "  - *raw*\n  \nafter\n"),
        ("```\nnever closed", "  never closed\n"),
        ("````\n```\n````\nx", "  ```\nx\n"),
        ("```inline``` code", "inline code\n"),
        ("| no | table |", "| no | table |\n"),
        ("[text](http://x.example)", "[text](http://x.example)\n"),
        ("　　退货", "　　退货\n"),
        ("", ""),
    ],
)
def test_a_source_and_its_look(source, screen):
    assert shown(source) == screen


def test_a_table_has_its_columns_aligned():
    rows = [line.rstrip() for line in shown("| 国家 | fee |\n|---|---|\n| 中国 | 15 |\n").splitlines()]
    assert [row for row in rows if row and "─" not in row and "━" not in row] == [" 国家  fee", " 中国  15"]


def test_words_wrap_with_the_indent_of_their_item():
    assert shown("- one two three four", width=12) == "• one two\n  three four\n".replace(
        "three four", "three\n  four"
    )


def test_chinese_wraps_anywhere_but_not_before_a_full_stop():
    assert shown("一二三四五。", width=11) == "一二三四\n五。\n"


def test_a_long_word_is_cut():
    assert shown("x" * 25, width=11) == "x" * 10 + "\n" + "x" * 10 + "\n" + "x" * 5 + "\n"


def test_a_joined_emoji_is_never_cut():
    family = "👨‍👩‍👧"
    assert shown(family * 6, width=9).split("\n")[0] == family * 4


def test_prose_is_on_the_screen_before_its_line_ends():
    file = io.StringIO()
    page = MarkdownStream(Console(file=file, width=40))
    page.feed("The fee is ")
    page.feed("15 ")
    page.feed("yuan")
    assert file.getvalue() == "The fee is 15"


def test_color_is_rich_s_only():
    assert shown("**a** \x1b[31mb", color="standard").count("\x1b[1m") == 1


@given(MARKDOWN, st.lists(st.integers(min_value=0), max_size=6))
def test_cuts_change_nothing(text, cuts):
    bounds = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in pairwise(bounds)]
    assert shown(*pieces) == shown(text)


@given(MARKDOWN.filter(lambda text: "|" not in text and "`" not in text and "~" not in text))
def test_no_line_is_wider_than_the_screen(text):
    lines = shown(text, width=30).split("\n")
    assert [line for line in lines if cell_len(line) > 30] == []


@given(st.lists(st.sampled_from(["word", "退货", "，", "5.5", "(x)", "👍🏽"]), min_size=1, max_size=60))
def test_every_word_is_shown_once_in_order(words):
    text = " ".join(words)
    assert "".join(shown(text, width=17).split()) == "".join(words)
