"""Watch one turn happen: what was found, what the model was shown, and the reply as it comes.

python examples/02_stream.py
"""

from pathlib import Path

from dialog import DialogAgent, Finished, Notice, PromptReady, Retrieved, SkillCalled, TextDelta
from dialog.home import data_dir
from dialog.knowledge.index import build_index

SHOP = Path(__file__).parent / "shop"

agent = DialogAgent.from_config(
    overrides=[f"knowledge.path={data_dir() / 'examples'}", "store.url=sqlite://"]
)
with agent:
    build_index(agent.config.knowledge_path, [SHOP], agent.config.values.knowledge)
    agent.reply("Do you rent out tents?", conversation_id="stream")
    # The second question leans on the first: alone, it does not say for what.
    for event in agent.stream("And what deposit do you ask for?", conversation_id="stream"):
        match event:
            case Retrieved(result=result):
                print(f"searched: {' '.join((result.rewritten or result.query).split())}")
                for passage in result.passages:
                    print(f"  {passage.score:.2f} {passage.source}: {passage.title}")
            case SkillCalled(skill=skill):
                print(f"skill: {skill}")
            case PromptReady(fit=fit):
                print(f"prompt: {fit.used_tokens} of {fit.limit_tokens} tokens")
            case TextDelta(text=text):
                print(text, end="", flush=True)
            case Notice(text=text):
                print(f"\n(note: {text})")
            case Finished(reply=reply):
                timings = reply.timings
                print(f"\nfirst token after {timings.first_token_s:.2f} s, {timings.reply_tokens} tokens")
