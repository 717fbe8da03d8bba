"""Values out of messages, in both languages, to the letter or not at all."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skills.support.flows import Bilingual, Examples, SlotSpec
from skills.support.reading import clean, read

TODAY = date(2026, 3, 4)  # a Wednesday
TEXT = Bilingual(zh="什么", en="what")


def spec(kind: str, **more: Any) -> SlotSpec:
    return SlotSpec.model_validate({"kind": kind, "label": TEXT, "ask": TEXT, **more})


ORDER = spec("id", pattern=r"MK-\d{5}")
DAY = spec("date")
REASON = spec(
    "choice",
    choices={
        "broken": Examples(en=("broken", "damaged"), zh=("坏了", "损坏")),
        "unwanted": Examples(en=("not wanted",), zh=("不想要",)),
    },
)


def values(text: str, slot: SlotSpec, *, asked: bool = True) -> list[str]:
    found = read(clean(text), slot, today=TODAY, asked=asked)
    return [one.value for one in found if one.trouble is None]


def troubles(text: str, slot: SlotSpec) -> list[str | None]:
    return [one.trouble for one in read(clean(text), slot, today=TODAY, asked=True)]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("tomorrow", "2026-03-05"),
        ("明天", "2026-03-05"),
        ("the day after tomorrow", "2026-03-06"),
        ("大后天上门", "2026-03-07"),
        ("Friday", "2026-03-06"),
        ("周五", "2026-03-06"),
        ("next Friday", "2026-03-13"),
        ("下周五", "2026-03-13"),
        ("last Monday", "2026-02-23"),
        ("上周一", "2026-02-23"),
        ("in two weeks", "2026-03-18"),
        ("两周后", "2026-03-18"),
        ("3 days ago", "2026-03-01"),
        ("三天前收到的", "2026-03-01"),
        ("March 9th", "2026-03-09"),
        ("3月9日", "2026-03-09"),
        ("31 December", "2025-12-31"),
        ("十二月三十一日", "2025-12-31"),
        ("2026-04-01", "2026-04-01"),
        ("２０２６年４月１日", "2026-04-01"),
        ("13/5", "2026-05-13"),
    ],
)
def test_a_date_is_read_relative_to_today(said: str, day: str) -> None:
    assert values(said, DAY) == [day]


def test_a_date_of_two_readings_is_not_guessed_unless_the_range_decides() -> None:
    assert troubles("3/5", DAY) == ["ambiguous"]
    assert values("3/5", spec("date", from_days=0, to_days=14)) == ["2026-03-05"]


@pytest.mark.parametrize("said", ["yesterday", "昨天", "2026-02-30", "in 40 days"])
def test_a_date_outside_of_the_range_or_the_calendar_is_none(said: str) -> None:
    assert values(said, spec("date", from_days=1, to_days=14)) == []


@pytest.mark.parametrize(
    ("said", "amount"),
    [("$1,999.50", "1999.50 USD"), ("199块钱", "199 CNY"), ("1.5 万元", "15000 CNY"), ("69", "69")],
)
def test_an_amount_is_exact(said: str, amount: str) -> None:
    assert values(said, spec("money")) == [amount]


def test_a_bare_number_is_an_amount_only_for_somebody_who_was_asked() -> None:
    assert values("I ordered 3 of them", spec("money"), asked=False) == []
    assert values("I paid $3", spec("money"), asked=False) == ["3 USD"]
    assert troubles("0", spec("money", least=Decimal("0.01"))) == ["out_of_range"]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("mk-10482 please", ["MK-10482"]),
        ("订单ＭＫ－１０４８２的", ["MK-10482"]),
        ("MK-104829", []),
        ("MK-1048", []),
        ("XMK-10482", []),
    ],
)
def test_an_identifier_is_whole_or_nothing(said: str, found: list[str]) -> None:
    assert values(said, ORDER) == found


def test_what_looks_like_an_identifier_and_is_none_is_said_to_be_none() -> None:
    assert troubles("It is MK-1048", ORDER) == ["not_known"]


@given(st.integers(0, 99_999), st.integers(0, 99_999))
def test_no_order_number_is_ever_taken_for_another(one: int, other: int) -> None:
    assert values(f"order MK-{one:05} or so", ORDER) == [f"MK-{one:05}"]
    if one != other:
        assert f"MK-{other:05}" not in values(f"MK-{one:05}", ORDER)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("it came damaged", ["broken"]),
        ("收到就坏了", ["broken"]),
        ("it is not broken", []),
        ("not wanted any more", ["unwanted"]),
        ("不想要了", ["unwanted"]),
    ],
)
def test_a_choice_is_what_is_said_and_not_what_is_denied(said: str, found: list[str]) -> None:
    assert values(said, REASON) == found


def test_only_somebody_asked_may_mistype_a_name() -> None:
    assert values("brokn", REASON) == ["broken"]
    assert values("brokn", REASON, asked=False) == []
    assert values("Alderwing", spec("name", known=["Alderwing 2"])) == ["Alderwing 2"]
    assert values("Kettle", spec("name", known=["Alderwing 2"])) == []


@pytest.mark.parametrize(
    ("said", "name"), [("My name is Ann Lee.", "Ann Lee"), ("我叫王小明", "王小明"), ("Ann", "Ann")]
)
def test_a_name_is_the_one_given(said: str, name: str) -> None:
    assert values(said, spec("name")) == [name]


def test_a_pattern_that_never_ends_finds_nothing_in_good_time() -> None:
    assert values("a" * 3000, spec("id", pattern="(a+)+b")) == []
