"""Test your own agent without a model: script the model, look at what it was shown.

    python examples/05_own_model.py        # or: python -m pytest examples/05_own_model.py

The same seam takes a model of your own: anything with the members of
`dialog.protocols.LanguageModel`.
"""

from dialog import DialogAgent, load_config
from dialog.testing import ScriptedModel


def my_agent(model: ScriptedModel) -> DialogAgent:
    """The agent under test: your configuration, no documents, conversations in memory."""
    config = load_config(
        overrides=[
            "store.url=sqlite://",
            "knowledge.path=none-yet",
            'prompt.system="You are the voice of Mosskettle. Be brief."',
        ]
    )
    return DialogAgent(config, model=model)


def test_the_model_is_shown_instructions_and_history() -> None:
    model = ScriptedModel(["You can return it within 30 days.", "It costs $6."])
    with my_agent(model) as agent:
        agent.reply("Can I return a kettle?", conversation_id="c")
        reply = agent.reply("And the fee?", conversation_id="c")
    assert reply.text == "It costs $6."
    shown = model.prompts[-1].text
    assert "You are the voice of Mosskettle" in shown
    assert "within 30 days" in shown


def test_a_standing_wish_reaches_the_model() -> None:
    model = ScriptedModel(["好的。"])
    with my_agent(model) as agent:
        agent.instruct("c", "请始终用中文回答。", topic="language")
        agent.reply("你好！", conversation_id="c")
    assert "请始终用中文回答。" in model.prompts[0].text


if __name__ == "__main__":
    test_the_model_is_shown_instructions_and_history()
    test_a_standing_wish_reaches_the_model()
    print("both tests pass")
