"""When an approved answer fits, and what may stand in its slots."""

import pytest

from dialog.templates import fill, fits, is_template
from dialog.testing import passage
from dialog.values import Passage


def entry(question: str, answer: str, **metadata: object) -> Passage:
    plain = passage(f"{question}\n{answer}")
    return plain.model_copy(update={"answer": answer, "metadata": metadata})


def test_every_slot_is_filled_with_its_value() -> None:
    filled = fill("Parcel {parcel} arrives on {day}. {parcel}!", {"parcel": "MK-2041", "day": "Monday"})
    assert filled.text == "Parcel MK-2041 arrives on Monday. MK-2041!"
    assert filled.needs == ()


def test_a_slot_may_have_a_chinese_name() -> None:
    assert fill("您的订单{订单号}已发货。", {"订单号": "A-1"}).text == "您的订单A-1已发货。"


def test_what_is_not_known_is_missing_once() -> None:
    assert fill("{a} {b} {a}", {"b": " "}).missing == ("a", "b")


def test_a_value_is_text_and_fills_nothing_itself() -> None:
    assert fill("{a}", {"a": "{b}"}).text == "{b}"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "1,000"),
        ("money", "$6.50"),
        ("money", "12元"),
        ("money", "￥199"),
        ("date", "2026-02-03"),
        ("date", "2026年2月3日"),
        ("date", "2 February 2026"),
        ("id", "MK-2041"),
        ("text", "a red kettle"),
    ],
)
def test_a_value_of_its_kind_is_taken(kind: str, value: str) -> None:
    assert fill(f"{{x:{kind}}}", {"x": value}).text == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "many"),
        ("money", "free; call +1 555"),
        ("date", "soon"),
        ("id", "no digits"),
        ("id", "A1 or click here"),
        ("text", "two\nlines"),
        ("text", "\x1b[2J"),
        ("text", "x" * 201),
    ],
)
def test_a_value_of_another_kind_is_wrong(kind: str, value: str) -> None:
    assert fill(f"{{x:{kind}}}", {"x": value}).wrong == ("x",)


def test_braces_that_name_no_slot_stay() -> None:
    assert fill("{} {1} {a b} {x:colour}", {}).text == "{} {1} {a b} {x:colour}"


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("How long are gift cards valid?", "How long are your gift cards valid?"),
        ("礼品卡有效期是多久？", "礼品卡有效期多久？"),
    ],
)
def test_the_same_question_fits(asked: str, question: str) -> None:
    assert fits(asked, entry(question, "Two years. 两年。"))


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("How long is the warranty on a gift?", "How long are gift cards valid?"),
        ("Can I not return a gift card?", "Can I return a gift card?"),
        ("Can I return it within 45 days?", "Can I return it within 30 days?"),
        ("可以不退礼品卡吗？", "可以退礼品卡吗？"),
        ("45天内能退货吗？", "30天内能退货吗？"),
        ("???", "How long?"),
    ],
)
def test_another_question_does_not_fit(asked: str, question: str) -> None:
    assert not fits(asked, entry(question, "Two years. 两年。"))


def test_a_passage_without_an_approved_answer_never_fits() -> None:
    assert not fits("How long?", passage("How long?"))


def test_only_a_marked_entry_is_a_template() -> None:
    assert is_template(entry("Where?", "{parcel}", template="yes"))
    assert is_template(entry("哪里？", "{包裹}", template="是"))
    assert not is_template(entry("Where?", "{parcel}"))
    assert not is_template(passage("{parcel}").model_copy(update={"metadata": {"template": "yes"}}))
