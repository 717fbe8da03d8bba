"""A desk for the sample shop: keywords instead of an embedder, a fixed day, two orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue

from dialog import Action, ActionContext, DialogAgent, load_config
from dialog.skill import Tools
from dialog.testing import FixedRetriever, ScriptedModel
from skills.support import Flows, Intent, Support, load

SHOP = Path(__file__).parents[3] / "examples" / "support" / "shop.toml"
TODAY = date(2026, 3, 4)  # a Wednesday
ORDERS = {
    "MK-10482": {"item": "Wren 0.9", "status": "packed"},
    "MK-10483": {"item": "Slatefire 26", "status": "packed"},
    "MK-10517": {"item": "Alderwing 2", "status": "sent"},
}
ACTIONS = ("cancel_order", "request_return", "change_address")
KEYWORDS = {
    "cancel": "cancel_order",
    "取消": "cancel_order",
    "return": "return_item",
    "退货": "return_item",
    "address": "change_address",
    "地址": "change_address",
    "refund": "refund_missing",
    "退款": "refund_missing",
}
Desk = Callable[..., DialogAgent]


class Keywords:
    """An `IntentClassifier` for tests: the first keyword decides."""

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        return [self._one(text.casefold()) for text in texts]

    def _one(self, text: str) -> Intent:
        name = next((intent for word, intent in KEYWORDS.items() if word in text), None)
        return Intent(name=name, confidence=0.9 if name else 0.1, ranked=((name or "cancel_order", 0.9),))


class AnyArguments(BaseModel, extra="allow"):
    pass


def keywords(flows: Flows, tools: Tools) -> Keywords:
    return Keywords()


def look_up(values: Mapping[str, str]) -> Mapping[str, str] | None:
    return ORDERS.get(values["order_no"])


def done(arguments: AnyArguments, context: ActionContext) -> JsonValue:
    return dict(arguments)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Agents with the support skill that share one store."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path))
    opened: list[DialogAgent] = []

    def make(
        retriever: FixedRetriever | None = None, *, declared: Sequence[str] = ACTIONS, **support: Any
    ) -> DialogAgent:
        skill = Support(load(SHOP), lookups={"order": look_up}, classifier=keywords, clock=lambda: TODAY)
        if support:
            skill = Support(**{"classifier": keywords, "clock": lambda: TODAY, **support})
        agent = DialogAgent(
            load_config(environment={}, overrides=["skills.default=support"]),
            model=ScriptedModel(["It costs nothing."] * 20),
            retriever=retriever,
            skills=[skill],
            actions=[Action(name, name, AnyArguments, done) for name in declared],
        )
        opened.append(agent)
        return agent

    yield make
    for agent in opened:
        agent.close()
