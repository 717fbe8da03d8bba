"""The skill in free replay on tau2's retail environment: through the verb, judged by the end state."""

from __future__ import annotations

import gzip
import json
import sys
import types
from pathlib import Path

import pytest

from dialog.cli.main import main
from dialog.testing import ScriptedModel
from skills.support import Support
from tests.skills.support.conftest import keywords
from tests.skills.support.tau2.test_retail import HOME, order

FLOWS = """
[slots.order]
kind = "id"
pattern = '#W\\d'
label = { en = "order", zh = "订单号" }
ask = { en = "Which order is it?", zh = "是哪个订单？" }

[slots.reason]
kind = "choice"
label = { en = "reason", zh = "原因" }
ask = { en = "What is the reason?", zh = "是什么原因？" }
[slots.reason.choices]
"no longer needed" = { en = ["no longer needed"], zh = ["不需要了"] }
"ordered by mistake" = { en = ["by mistake"], zh = ["下错单"] }

[flows.cancel_order]
description = { en = "cancel an order", zh = "取消订单" }
examples = { en = ["cancel my order"], zh = ["取消订单"] }
slots = ["order", "reason"]
confirm = { en = "Shall I cancel {order}?", zh = "确认取消 {order} 吗？" }
action = { name = "cancel_pending_order", arguments = { order_id = "order", reason = "reason" } }
reply = { en = "It is cancelled.", zh = "已取消。" }
"""
SAID = {
    "en": ("I want to cancel something.", "My order is #W1.", "The reason: it is no longer needed."),
    "zh": ("我要取消。", "我的订单号是 #W1。", "原因是不需要了。"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a shop of two orders, the flows and a configuration; no model and no embedder."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("INSTRUCTREC_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    engine = types.ModuleType("dialog.engine.load")
    engine.__dict__["open_model"] = lambda section, **_: ScriptedModel(["I see."] * 99)
    monkeypatch.setitem(sys.modules, "dialog.engine.load", engine)
    monkeypatch.setitem(Support.__init__.__kwdefaults__ or {}, "classifier", keywords)
    card = {"source": "credit_card", "id": "credit_card_1"}
    ann = {
        **{"user_id": "ann", "name": {"first_name": "Ann", "last_name": "Lee"}, "address": HOME},
        **{"email": "ann@example.com", "orders": ["#W1", "#W2"], "payment_methods": {"credit_card_1": card}},
    }
    orders = {name: order(name, "pending") for name in ("#W1", "#W2")}
    (tmp_path / "tau2" / "retail").mkdir(parents=True)
    with gzip.open(tmp_path / "tau2" / "retail" / "db.json.gz", "wt", encoding="utf-8") as file:
        json.dump({"products": {}, "users": {"ann": ann}, "orders": orders}, file)
    (tmp_path / "flows.toml").write_text(FLOWS, encoding="utf-8")
    (tmp_path / "agent.toml").write_text(
        '[skills]\ndefault = "support"\nenabled = ["support"]\noptions.support.flows = "flows.toml"\n',
        encoding="utf-8",
    )
    return tmp_path


@pytest.mark.parametrize(("wanted", "success"), [("#W1", 1), ("#W2", 0)], ids=["as told", "another order"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_flow_acts_on_the_shop_and_the_end_state_judges_it(
    folder: Path, language: str, wanted: str, success: int
) -> None:
    goal, *facts = SAID[language]
    expected = {
        "name": "cancel_pending_order",
        "arguments": {"order_id": wanted, "reason": "no longer needed"},
    }
    scenario = {"goals": [{"say": goal}], "facts": [{"say": fact} for fact in facts], "actions": [expected]}
    talk = {"id": "c", "messages": [{"role": "user", "content": goal}], "meta": {"scenario": scenario}}
    Path("talks.jsonl").write_text(json.dumps(talk) + "\n", encoding="utf-8")
    environment = "skills.support.tau2.environment:environment"
    options = ["--mode", "free", "--environment", environment, "--report-dir", "out", "--quiet"]
    assert main(["replay", "talks.jsonl", "--agent", "agent.toml", *options]) == 0
    found = json.loads(Path("out/report.json").read_text(encoding="utf-8"))
    turns = [json.loads(line) for line in Path("out/turns.jsonl").read_text(encoding="utf-8").splitlines()]
    (done,) = [action for turn in turns for action in turn["given"]["actions"]]
    assert done == {**expected, "arguments": {**expected["arguments"], "order_id": "#W1"}}
    assert found["metrics"]["success"]["a"] == success
    assert found["failures"] == []
