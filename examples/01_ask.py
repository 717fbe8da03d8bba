"""Ask the sample shop one question in each language, and see where the answer stands.

python examples/01_ask.py
"""

from pathlib import Path

from dialog import DialogAgent
from dialog.home import data_dir
from dialog.knowledge.index import build_index

SHOP = Path(__file__).parent / "shop"
QUESTIONS = ("How much is express shipping?", "退货要多少运费？")

# An index of its own, and conversations in memory only: your own data stay as they are.
agent = DialogAgent.from_config(
    overrides=[f"knowledge.path={data_dir() / 'examples'}", "store.url=sqlite://"]
)
with agent:
    build_index(agent.config.knowledge_path, [SHOP], agent.config.values.knowledge)
    for number, question in enumerate(QUESTIONS):
        reply = agent.reply(question, conversation_id=f"ask-{number}")
        print(f"> {question}\n{reply.text}  ({reply.mode})")
        for citation in reply.citations:
            print(f"  [{citation.source}] {citation.quote!r}")
        for notice in reply.notices:
            print(f"  note: {notice}")
        print()
