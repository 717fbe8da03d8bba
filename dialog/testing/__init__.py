"""Public fakes: test an agent without a model, without a network, in milliseconds.

    model = ScriptedModel(["It takes three days.", "You can return it free of charge."])
    agent = DialogAgent(config, model=model)
    assert agent.reply("How long does it take?").text == "It takes three days."
    assert "How long" in model.prompts[0].text

`ScriptedModel` answers from a script, `tiny_model()` is a real but random
two-layer transformer behind the real engine, `HashEmbedder` embeds without
weights, `FixedTurn` and `FixedTools` are what a skill is given. Importing this loads neither torch nor numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialog.testing.retrieve import FixedRetriever, passage
from dialog.testing.scripted import ScriptedModel
from dialog.testing.skills import FixedTools, FixedTurn
from dialog.testing.words import WordTokenizer

if TYPE_CHECKING:
    from dialog.testing.embed import HashEmbedder
    from dialog.testing.tiny import tiny_model

__all__ = [
    "FixedRetriever",
    "FixedTools",
    "FixedTurn",
    "HashEmbedder",
    "ScriptedModel",
    "WordTokenizer",
    "passage",
    "tiny_model",
]


def __getattr__(name: str) -> Any:
    """The parts that need numpy or torch, imported when first asked for."""
    if name == "HashEmbedder":
        from dialog.testing.embed import HashEmbedder

        return HashEmbedder
    if name == "tiny_model":
        from dialog.testing.tiny import tiny_model

        return tiny_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
