"""Customer service of the sample shop: two conversations, one in each language.

    python examples/11_support.py

What the desk can do stands in `examples/support/shop.toml`. Orders are looked
up here; an action waits until a person of the shop allows it.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from pydantic import BaseModel, JsonValue

from dialog import Action, ActionContext, DialogAgent, load_config
from dialog.testing import FixedRetriever, ScriptedModel, passage
from skills.support import Support

ORDERS = {
    "MK-10482": {"item": "Wren 0.9", "status": "packed"},
    "MK-10483": {"item": "Slatefire 26", "status": "packed"},
    "MK-10517": {"item": "鹪鹩 0.9", "status": "delivered"},
}
TALK = (
    *("Please cancel my order.", "It is MK-10482.", "Is there a fee?", "No, I meant MK-10483.", "yes"),
    *("我要退货，东西坏了", "MK-10517，昨天收到的", "后天来取吧", "不对，下周一", "对的", "转人工"),
)


class AnyArguments(BaseModel, extra="allow"):
    """A real action names its arguments; see 07_actions.py."""


def done(arguments: AnyArguments, context: ActionContext) -> JsonValue:
    return dict(arguments)


def look_up(values: Mapping[str, str]) -> Mapping[str, str] | None:
    return ORDERS.get(values["order_no"])


FACT = "Cancelling an order that is not sent yet costs nothing: there is no fee."
facts = FixedRetriever([passage(FACT)])
desk = Support(
    Path(__file__).parent / "support" / "shop.toml",
    lookups={"order": look_up},
    clock=lambda: date(2026, 3, 4),
)
actions = [Action(name, name, AnyArguments, done) for name in ("cancel_order", "request_return")]
config = load_config(overrides=["store.url=sqlite://", "skills.default=support"])
model = ScriptedModel([FACT] * 9)
with DialogAgent(config, model=model, retriever=facts, skills=[desk], actions=actions) as agent:
    for text in TALK:
        print(f"> {text}\n{agent.reply(text, conversation_id='c').text}")
    for pending in agent.pending("c"):
        print(f"waiting: {pending.name} {pending.arguments}")
    print(agent.state("c").handoff.briefing)
