"""Customer service: intents, slots over several turns, answers, approved actions, hand-off with a briefing.

What a shop's customer service can do stands in a flow file (`flows`,
`loading`); this skill conducts conversations along it. Everything it knows
about a conversation is in the conversation's state, so undo, edit and a
restart go where the record goes.

    Support(Path("examples/support/shop.toml"), lookups={"order": find_order})
"""

from skills.support.case import LookUp
from skills.support.flows import Flows
from skills.support.intent import Intent, IntentClassifier, Understood, ZeroShot
from skills.support.loading import load
from skills.support.skill import Support, SupportInput, SupportOutput

__all__ = [
    "Flows",
    "Intent",
    "IntentClassifier",
    "LookUp",
    "Support",
    "SupportInput",
    "SupportOutput",
    "Understood",
    "ZeroShot",
    "load",
]
