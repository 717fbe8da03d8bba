"""Get a value of your own type out of a message, checked, or the reasons why there is none.

python examples/08_structured.py
"""

from typing import Literal

from pydantic import BaseModel, Field

from dialog import DialogAgent, Structured, load_config
from dialog.testing import ScriptedModel


class Complaint(BaseModel):
    """What the shop files."""

    order_no: str | None = Field(default=None, pattern=r"^MK-\d{5}$", description="as printed on the invoice")
    problem: Literal["late", "broken", "wrong", "other"]
    wants_refund: bool = False


# What a small model may write: words around it, a wrong value first, and once only words.
model = ScriptedModel(
    [
        'Of course:\n```json\n{"order_no": "MK-10482", "problem": "leaking", "wants_refund": true}\n```',
        '{"order_no": "MK-10482", "problem": "broken", "wants_refund": true}',
        '{"order_no": "MK-10517", "problem": "late"}',
        "I am sorry to hear that.",
    ]
)
config = load_config(overrides=["store.url=sqlite://", "knowledge.path=none-yet"])


def show(found: Structured[Complaint]) -> None:
    print(f"  {found.value!r} after {found.attempts} attempts")
    for problem in found.problems:
        print(f"  problem: {problem}")


with DialogAgent(config, model=model) as agent:
    for text in ("The kettle of MK-10482 leaks, I want my money back!", "订单 MK-10517 还没到。"):
        print(f"> {text}")
        show(agent.reply_as(Complaint, text, conversation_id="c"))
    print("> Terrible.")
    show(agent.reply_as(Complaint, "Terrible.", conversation_id="c", retries=0))
