"""Copies are found by signatures: exact ones, near ones, and none between different conversations."""

import random

from corpora.checks.duplicates import DuplicateIndex, print_of


def text_of(draw, alphabet, num):
    return "".join(draw.choice(alphabet) for _ in range(num))


def pairs(*texts):
    index = DuplicateIndex()
    for text in texts:
        index.add(print_of(text))
    return [(pair.first, pair.second) for pair in index.pairs()]


HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 800)]


def test_equal_texts_are_copies_whatever_their_case_and_marks():
    assert pairs("Where is my parcel?", "other words here", "where is my parcel") == [(0, 2)]
    assert pairs("我的包裹在哪里？", "别的话", "我的包裹在哪里") == [(0, 2)]


def test_small_change_in_a_long_text_is_a_near_copy():
    chinese = text_of(random.Random(1), HAN, 300)
    english = " ".join(text_of(random.Random(n), "abcdefghij", 5) for n in range(200))
    changed = english.replace(english[300:310], "new words ")
    assert pairs(chinese, english, chinese[:150] + "改了" + chinese[152:], changed) == [(0, 2), (1, 3)]


def test_different_texts_are_no_copies():
    draw = random.Random(5)
    assert pairs(*(text_of(draw, HAN, 200) for _ in range(200))) == []


def test_each_copy_is_told_once_of_the_earliest():
    text = text_of(random.Random(2), HAN, 200)
    assert pairs(text, text, "x", text + "尾", text) == [(0, 1), (0, 3), (0, 4)]


def test_short_texts_are_compared_exactly_only():
    assert pairs("好的谢谢", "好的谢谢你", "ok thanks", "ok thanks") == [(2, 3)]


def test_nothing_gives_nothing():
    assert pairs() == []
    assert pairs("", "") == [(0, 1)]
