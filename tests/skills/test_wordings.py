"""Wordings: read from TOML, filled once, checked when they are read."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dialog.errors import SkillError
from skills.wordings import load, parse

TOML = """
[title.en]
texts = ["A title for: {text}", "Name this: {text}"]
[title.zh]
texts = ["为下文写一个标题：{text}"]
"""


def test_a_wording_is_filled_in_the_language_asked_for() -> None:
    wordings = parse(TOML)
    assert wordings.fill("title", "en", text="Parcels") == "A title for: Parcels"
    assert wordings.fill("title", "zh", text="包裹") == "为下文写一个标题：包裹"
    assert wordings.texts("title", "und") == ("A title for: {text}", "Name this: {text}")


def test_the_index_is_counted_round() -> None:
    wordings = parse(TOML)
    assert wordings.fill("title", "en", 1, text="x") == "Name this: x"
    assert wordings.fill("title", "zh", 1, text="x") == "为下文写一个标题：x"


def test_what_is_filled_in_is_not_filled_again() -> None:
    assert parse(TOML).fill("title", "en", text="{text} {other} {") == "A title for: {text} {other} {"


def test_values_must_meet_the_placeholders() -> None:
    with pytest.raises(ValueError, match=r"'title' takes \['text'\], not \['words'\]"):
        parse(TOML).fill("title", "en", words="x")


def test_the_wordings_of_a_task_take_the_same_placeholders() -> None:
    with pytest.raises(ValidationError, match="different placeholders"):
        parse('[title.en]\ntexts = ["A title for: {text}"]\n[title.zh]\ntexts = ["写一个标题"]\n')


def test_an_unknown_language_or_an_empty_list_is_refused() -> None:
    with pytest.raises(ValidationError):
        parse('[title.xx]\ntexts = ["a"]\n')
    with pytest.raises(ValidationError):
        parse("[title.en]\ntexts = []\n")


def test_a_skill_without_wordings_is_named() -> None:
    with pytest.raises(SkillError, match="'nothing' has no wordings"):
        load("nothing")
