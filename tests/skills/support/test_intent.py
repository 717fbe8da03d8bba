"""The classifier without training: which flow, how sure, and when it is none."""

from __future__ import annotations

import pytest

from dialog.testing import FixedTools, HashEmbedder
from skills.support import Flows, Support, SupportInput, ZeroShot, load
from skills.support.flows import Bilingual, Examples, Flow
from tests.skills.support.conftest import SHOP

BOTH = Bilingual(zh="好", en="ok")
FLOWS = Flows(
    slots={"order_no": load(SHOP).slots["order_no"]},
    flows={
        "cancel": Flow(
            description=BOTH,
            examples=Examples(
                en=("cancel my order", "please cancel my order", "cancel my order now please"),
                zh=("取消订单", "我要取消订单", "请取消订单"),
            ),
            slots=("order_no",),
            reply=BOTH,
        ),
        "return": Flow(
            description=BOTH,
            examples=Examples(
                en=("return the kettle", "i return the kettle", "return the kettle i got"),
                zh=("办理退货", "我要办理退货", "请办理退货"),
            ),
            reply=BOTH,
        ),
    },
)


@pytest.fixture(scope="module")
def classifier() -> ZeroShot:
    return ZeroShot(FLOWS, HashEmbedder(dimension=512))


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("cancel my order now", "cancel"),
        ("我要办理退货", "return"),
        ("apple pie", None),
    ],
)
def test_a_message_is_named_by_the_examples_it_is_like(
    classifier: ZeroShot, said: str, intent: str | None
) -> None:
    (found,) = classifier.classify([said])
    assert found.name == intent
    assert found.confidence == found.ranked[0][1]
    assert [p for _, p in found.ranked] == sorted((p for _, p in found.ranked), reverse=True)


def test_without_flows_nothing_is_an_intent() -> None:
    (found,) = ZeroShot(Flows(), HashEmbedder()).classify(["cancel"])
    assert (found.name, found.ranked) == (None, ())


def test_records_are_read_in_order() -> None:
    tools = FixedTools(embedder=HashEmbedder(dimension=512))
    texts = ["please cancel my order MK-10482", "apple pie", "转人工"]
    first, second, third = Support(FLOWS).work([SupportInput(text=text) for text in texts], tools)
    assert (first.intent, first.slots) == ("cancel", {"order_no": "MK-10482"})
    assert (second.intent, second.slots, second.wants_human) == (None, {}, False)
    assert third.wants_human
