"""Detectors take time in proportion to the text, whatever it repeats; measured in processor time."""

import time

import pytest

from corpora.scrub.detect import Detector
from corpora.scrub.patterns import Pattern, Rules
from dialog.errors import ConfigError

BAITS = [
    "a",
    "1",
    "1 ",
    "@",
    "a@",
    "1.",
    "a.",
    "路1号",
    "我叫",
    "先生",
    "A ",
    "12 A ",
    "+1 ",
    "(1",
    ":",
    "http://",
    "Dear A",
    "\n",
]


def spent_s(text):
    before = time.process_time()
    Detector()(text)
    return time.process_time() - before


@pytest.mark.parametrize("bait", BAITS)
def test_twenty_thousand_characters_take_less_than_a_second(bait):
    assert spent_s((bait * 20_000)[:20_000]) < 1.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "bait", [*BAITS, "1-", "DE12 ", "10 A B ", "北京市", "[A_1]", "·", "Thanks\n", "电话1234567 "]
)
def test_a_million_characters_take_less_than_fifteen_seconds(bait):
    assert spent_s((bait * 1_000_000)[:1_000_000]) < 15


def test_own_pattern_that_explodes_is_an_error_that_names_it():
    detector = Detector(Rules(pattern=(Pattern(kind="X", regex=r"(?:.*a){12}b"),)))
    with pytest.raises(ConfigError, match="takes more than 1 s"):
        detector("a" * 3000)
