"""Let the agent cancel an order, but only after a person of the shop allowed it.

    python examples/07_actions.py

The skill proposes, the gate waits, `decide` does it exactly once. What the
customer, a document or the model says makes nothing happen by itself.
"""

import re
from collections.abc import Iterator

from pydantic import BaseModel, Field, JsonValue

from dialog import Action, ActionContext, ActionProposed, DialogAgent, Event, load_config
from dialog.skill import SkillSpec, SkillTurn
from dialog.testing import ScriptedModel

ORDERS = {"MK-10482": "packed", "MK-10517": "sent"}


class Cancel(BaseModel):
    order_no: str = Field(pattern=r"^MK-\d{5}$", description="as printed on the invoice")


def cancel(arguments: Cancel, context: ActionContext) -> JsonValue:
    """The shop's own system would get `context.key`, so that a repeated call is known as one."""
    if ORDERS.get(arguments.order_no) != "packed":
        raise ValueError(f"order {arguments.order_no} cannot be cancelled any more")
    ORDERS[arguments.order_no] = "cancelled"
    return {"order_no": arguments.order_no, "status": "cancelled"}


class Orders:
    """Proposes to cancel the order a customer names."""

    spec = SkillSpec(name="answer", description="cancels orders that are not sent yet")

    def matches(self, turn: SkillTurn) -> float:
        return 1.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        order = re.search(r"MK-\d{5}", turn.text)
        if order and re.search("cancel|取消", turn.text, re.IGNORECASE):
            yield ActionProposed(name="cancel_order", arguments={"order_no": order[0]}, reason=turn.text)
        yield from turn.answer()


model = ScriptedModel(["I have asked the shop to cancel it.", "我已请店里为您取消。"])
config = load_config(overrides=["store.url=sqlite://", "knowledge.path=none-yet"])
action = Action("cancel_order", "cancel an order that is not sent yet", Cancel, cancel)
with DialogAgent(config, model=model, skills=[Orders()], actions=[action]) as agent:
    for text in ("Please cancel MK-10482.", "请取消订单 MK-10517。"):
        print(f"> {text}\n{agent.reply(text, conversation_id='c').text}")
        for pending in agent.pending("c"):
            print(f"  waiting: {pending.name} {pending.arguments}; {ORDERS}")
            outcome = agent.decide("c", pending.id, approve=True, by="Ann")
            print(f"  {outcome.status}: {outcome.result or outcome.error}")
