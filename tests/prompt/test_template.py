"""The template taken apart and put together gives the stock template's text and ids."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dialog.errors import ModelError
from dialog.prompt.parts import Part, Spoken
from dialog.prompt.template import open_template
from dialog.protocols import ChatTokenizer
from dialog.testing.words import WordTokenizer
from dialog.values import Message, Role
from tests.prompt.families import FAMILIES, chat_tokenizer, stock_ids

EN = (
    ("user", "Where is my parcel? Order 4711."),
    ("assistant", "It was sent on 3 May."),
    ("user", "And the fee?"),
)
ZH = (("user", "我的快递到哪里了？"), ("assistant", "五月三日已发货。"), ("user", "运费呢"))
every_family = pytest.mark.parametrize("name", FAMILIES)


def spoken(*said: tuple[Role, str]) -> list[Spoken]:
    kinds = {"system": "instruction", "user": "user", "assistant": "agent"}
    return [Spoken(role, (Part(kinds[role], f"m{i}", text),)) for i, (role, text) in enumerate(said)]


@every_family
@pytest.mark.parametrize("said", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("reply_follows", [True, False])
def test_ids_are_those_of_the_stock_template(name: str, said: Sequence, reply_follows: bool) -> None:
    messages = spoken(*(said if reply_follows else said[:2]))
    laid = open_template(chat_tokenizer(name)).lay_out(messages, reply_follows=reply_follows)
    stock = stock_ids(name, [one.as_message() for one in messages], reply_follows=reply_follows)
    assert laid.ids == stock
    assert laid.text == chat_tokenizer(name).decode(stock)


@every_family
def test_a_system_message_stands_where_the_stock_template_puts_it(name: str) -> None:
    messages = spoken(("system", "Be brief."), *EN)
    laid = open_template(chat_tokenizer(name)).lay_out(messages, reply_follows=True)
    if FAMILIES[name].takes_system:
        assert laid.ids == stock_ids(name, [one.as_message() for one in messages], reply_follows=True)
    folded = [Message(role="user", content="Be brief.\n\nWhere is my parcel? Order 4711.")]
    if not FAMILIES[name].takes_system:
        rest = [one.as_message() for one in messages[2:]]
        assert laid.ids == stock_ids(name, folded + rest, reply_follows=True)


@every_family
def test_contents_are_trimmed_where_the_stock_template_trims(name: str) -> None:
    messages = spoken(("user", " \n Hello there  "), ("assistant", "  Hi\n\n"), ("user", "\tfee? \n"))
    laid = open_template(chat_tokenizer(name)).lay_out(messages, reply_follows=True)
    assert laid.ids == stock_ids(name, [one.as_message() for one in messages], reply_follows=True)


@every_family
def test_neighbours_of_one_role_are_joined_only_where_roles_must_alternate(name: str) -> None:
    messages = spoken(("user", "One"), ("user", "Two"))
    laid = open_template(chat_tokenizer(name)).lay_out(messages, reply_follows=True)
    expected = (
        [one.as_message() for one in messages]
        if FAMILIES[name].takes_repeats
        else [Message(role="user", content="One\n\nTwo")]
    )
    assert laid.ids == stock_ids(name, expected, reply_follows=True)


@every_family
def test_segments_cover_all_ids_in_order_and_hold_their_contents(name: str) -> None:
    tokenizer = chat_tokenizer(name)
    laid = open_template(tokenizer).lay_out(spoken(("system", "Be brief."), *ZH), reply_follows=True)
    edges = [segment.start for segment in laid.segments] + [laid.segments[-1].end]
    assert edges == [0] + [segment.end for segment in laid.segments]
    assert edges[-1] == len(laid.ids)
    texts = {
        segment.ref: tokenizer.decode(laid.ids[segment.start : segment.end]).strip()
        for segment in laid.segments
        if segment.kind != "template"
    }
    assert texts == {"m0": "Be brief.", "m1": ZH[0][1], "m2": ZH[1][1], "m3": ZH[2][1]}


def test_a_token_across_a_border_belongs_to_its_first_visible_character() -> None:
    laid = open_template(chat_tokenizer("mistral")).lay_out(
        spoken(("user", "shipping fee")), reply_follows=True
    )
    first = next(segment for segment in laid.segments if segment.kind == "user")
    assert chat_tokenizer("mistral").decode(laid.ids[first.start : first.start + 1]).startswith(" ")


def test_adaptations_are_told() -> None:
    def told(name: str) -> str:
        return "; ".join(open_template(chat_tokenizer(name)).adaptations)

    assert "takes no system message" in told("gemma2")
    assert "alternate" in told("mistral")
    assert "system message" not in told("gemma3")
    assert told("llama3") == "the template trims white space around messages of: assistant, system, user"
    assert "'You are a helpful AI assistant named Small'" in told("smollm2")
    assert told("qwen3") == ""


class Echoing(WordTokenizer):
    """A template that shows the first message twice."""

    def apply_template(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        return messages[0].content + super().apply_template(
            messages, add_generation_prompt=add_generation_prompt
        )


class Shouting(WordTokenizer):
    """A template that changes what it is given."""

    def apply_template(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        loud = [message.model_copy(update={"content": message.content.upper()}) for message in messages]
        return super().apply_template(loud, add_generation_prompt=add_generation_prompt)


class Gullible(WordTokenizer):
    """A tokenizer that reads control tokens in plain text."""

    def encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        pieces = self.split_control(text)
        return [1 if control is None else control for control, _ in pieces], [(0, 1) for _ in pieces]


@pytest.mark.parametrize(
    ("tokenizer", "said"),
    [
        (Echoing(), "shows messages"),
        (Shouting(), "cannot be reproduced"),
        (Gullible(), "turns plain text into the control ids"),
    ],
)
def test_a_template_that_cannot_be_trusted_is_refused(tokenizer: ChatTokenizer, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        open_template(tokenizer)


def test_a_template_is_probed_once() -> None:
    tokenizer = WordTokenizer()
    assert open_template(tokenizer) is open_template(tokenizer)
