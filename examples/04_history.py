"""Continue, undo, fork: the record is a tree, and nothing said is ever lost.

python examples/04_history.py
"""

from tempfile import TemporaryDirectory

from dialog import Conversation, DialogAgent, load_config
from dialog.testing import ScriptedModel


def answer(prompt: str) -> str:
    """Stands in for a model, so that this runs at once."""
    return "Canada takes 7–10 working days." if "Canada" in prompt else "3–5 working days."


def show(title: str, conversation: Conversation) -> None:
    print(f"{title}: {conversation.num_turns} turns")
    for turn in conversation.turns():
        print(f"  {turn.index}. {turn.user}  ->  {turn.reply}")


with TemporaryDirectory() as folder:
    # `knowledge.path` names nothing that exists: the agent has no documents here.
    config = load_config(
        overrides=[f"store.url=sqlite:///{folder}/conversations.db", f"knowledge.path={folder}/none"]
    )
    with DialogAgent(config, model=ScriptedModel(answer)) as agent:
        agent.reply("How long is delivery?", conversation_id="c-1")
        agent.reply("And to Canada?", conversation_id="c-1")

    # Another process, another day: the conversation goes on where it stood.
    with DialogAgent(config, model=ScriptedModel(answer)) as agent:
        show("found again", agent.history("c-1"))
        show("after undo", agent.undo("c-1"))
        show("after redo", agent.redo("c-1"))
        show("a fork", agent.fork("c-1", "c-2"))
        agent.reply("加拿大也包邮吗？", conversation_id="c-2")
        list(agent.edit("c-2", 0, "How long is express?"))  # a stream of events; here only its effect counts
        for branch in agent.history("c-2").tips():
            mark = "*" if branch.is_current else " "
            print(f"{mark} branch of {branch.num_turns} turns, last said: {branch.preview}")
        show("the original is as it was", agent.history("c-1"))
