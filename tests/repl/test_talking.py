"""Asking and being answered on a terminal."""

import pytest

pytestmark = pytest.mark.timeout(60)


def test_a_reply_is_shown_under_the_question(start):
    shown = start(["It takes **three** days."])("How long does it take?\r").splitlines()
    at = next(n for n, line in enumerate(shown) if "› How long does it take?" in line)
    assert shown[at + 1] == "It takes three days."


def test_chinese_is_asked_and_answered(start):
    shown = start(["退货需在 **7 天**内申请，运费由买家承担。"])("退货要多久？\r")
    assert "› 退货要多久？".replace(" ", "") in shown.replace(" ", "")
