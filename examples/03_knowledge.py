"""Index a folder and search it: no language model is needed for this.

python examples/03_knowledge.py [FOLDER] [QUESTION]
"""

import sys
from pathlib import Path

from dialog import Message, load_config
from dialog.home import data_dir
from dialog.knowledge.base import open_knowledge
from dialog.knowledge.index import build_index

SHOP = Path(__file__).parent / "shop"
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHOP
asked = sys.argv[2:]

config = load_config(
    overrides=[f"knowledge.path={data_dir() / ('examples' if folder == SHOP else 'my-examples')}"]
)
report = build_index(config.knowledge_path, [folder], config.values.knowledge)
print(f"{report.num_documents} documents, {report.num_chunks} chunks; {report.added} new")
for skip in report.skipped:
    print(f"  left out {skip.source}: {skip.reason}")

knowledge = open_knowledge(config.knowledge_path, config.values.knowledge)
history = [
    Message(role="user", content="能租帐篷吗？"),
    Message(role="assistant", content="可以，门店出租双人帐，每晚 70 元。"),
]
questions = [(text, []) for text in asked] or [
    ("Does the skillet work on an induction cooker?", []),
    ("押金呢？", history),
    ("What is the capital of Mongolia?", []),
]
for question, before in questions:
    result = knowledge.search(question, top_k=3, history=before)
    verdict = "the agent would say that it does not know" if result.abstain else "enough to answer"
    print(f"\n> {question}  (confidence {result.confidence:.2f}: {verdict})")
    if result.rewritten:
        print(f"  searched as: {' '.join(result.rewritten.split())}")
    for passage in result.passages:
        print(f"  {passage.score:.2f} {passage.source}: {' '.join(passage.text.split())[:80]}")
