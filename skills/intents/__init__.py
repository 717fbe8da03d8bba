"""What a message wants, among intents that are known, or that it wants none of them.

    classifier = TrainedIntents.load(Path("banking"))           # after `instructrec tune-labels`
    classifier = NearestIntents(embedder, {"refund": ["I want my money back", "我要退款"]})
    intent, = classifier.classify(["The money has not come back"])
    intent.name, intent.confidence, intent.ranked
    classifier = ChosenIntents(model, ["refund", "track_order"])

All ways give the same `Intent`; who uses them need not know which is at hand.
"""

from __future__ import annotations

from skills.intents.chosen import ChosenIntents
from skills.intents.intent import Intent, IntentClassifier
from skills.intents.nearest import NearestIntents
from skills.intents.skill import Intents
from skills.intents.trained import TrainedIntents

__all__ = ["ChosenIntents", "Intent", "IntentClassifier", "Intents", "NearestIntents", "TrainedIntents"]
