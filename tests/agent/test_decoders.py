"""Replies by an instruction decoder say what they rest on; conversations may have decoders of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dialog.engine.decoded import DecodedForward
from dialog.engine.decoders import Decoders
from dialog.engine.local import LocalModel
from dialog.engine.plain import PlainForward
from dialog.errors import ModelError
from dialog.testing import FixedRetriever, ScriptedModel, passage, tiny_model
from dialog.testing.tiny import tiny_transformer
from tests.agent.conftest import MakeAgent
from tests.engine.test_decoded import saved

QUICK = ("sampling.max_tokens=8", "prompt.system=Be brief. 简短回答。", "knowledge.on_unsupported=mark")
Make = Callable[[Path | None], LocalModel]


@pytest.fixture
def decoded() -> Make:
    def make(folder: Path | None) -> LocalModel:
        plain = tiny_model(seed=1, context_tokens=2048)
        forward = DecodedForward(PlainForward(tiny_transformer("llama", seed=1, context_tokens=2048)))
        decoders = Decoders(forward, model="m", template="t")
        decoders.default = decoders.load(folder) if folder else None
        return LocalModel(forward, plain.tokenizer, info=plain.info, end_ids=plain.end_ids, decoders=decoders)

    return make


@pytest.mark.parametrize(
    ("question", "found"),
    [("What is the fee?", "A return label costs $6."), ("运费多少？", "退货运费为12元。")],
)
def test_a_reply_carries_the_shares_of_all_it_was_shown(
    make_agent: MakeAgent, decoded: Make, tmp_path: Path, question: str, found: str
) -> None:
    retriever = FixedRetriever([passage(found, id="fees")])
    agent = make_agent(decoded(saved(tmp_path, 9)), retriever, QUICK)
    reply = agent.reply(question, conversation_id="c")
    assert reply.mode == "generated"
    assert reply.attribution is not None
    assert sum(one.share for one in reply.attribution) == pytest.approx(1.0)
    assert {"instruction", "turn", "passage"} >= {one.kind for one in reply.attribution}
    assert [one.share for one in reply.attribution] == sorted(
        (one.share for one in reply.attribution), reverse=True
    )
    explained = {one.segment: one.share for one in agent.explain("c")}
    assert explained == pytest.approx({one.segment: one.share for one in reply.attribution}, abs=1e-3)


def test_an_instruction_of_weight_zero_has_no_share(
    make_agent: MakeAgent, decoded: Make, tmp_path: Path
) -> None:
    shares = []
    for weight in (1.0, 0.0):
        agent = make_agent(decoded(saved(tmp_path, 9)), None, QUICK)
        agent.instruct(f"c{weight}", "Answer in verse. 用诗回答。", weight=weight)
        reply = agent.reply("Hello there, who are you? 你是谁？", conversation_id=f"c{weight}")
        instructed = {one.id for one in agent.state(f"c{weight}").instructions}
        shares.append(sum(one.share for one in reply.attribution or () if one.segment in instructed))
    assert shares[0] > 0
    assert shares[1] == 0


def test_without_a_decoder_a_reply_carries_no_shares(make_agent: MakeAgent, decoded: Make) -> None:
    agent = make_agent(decoded(None), None, QUICK)
    assert agent.reply("Hello there, who are you?", conversation_id="c").attribution is None


def test_a_decoder_is_changed_in_one_conversation(
    make_agent: MakeAgent, decoded: Make, tmp_path: Path
) -> None:
    agent = make_agent(decoded(saved(tmp_path, 6, std=0.4)), None, QUICK)
    first = agent.reply("Who are you? 你是谁？", conversation_id="a").text
    agent.use_decoder(saved(tmp_path, 8, std=0.4), "b")
    agent.use_decoder(None, "c")
    others = [agent.reply("Who are you? 你是谁？", conversation_id=name).text for name in "bcd"]
    assert len({first, *others}) == 3
    assert others[2] == first


def test_a_model_that_takes_no_decoder_says_so(make_agent: MakeAgent, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes no instruction decoders"):
        make_agent(ScriptedModel(["Yes."])).use_decoder(tmp_path, "c")
    with pytest.raises(ModelError, match=r"set model\.decoder"):
        make_agent(tiny_model(seed=1)).use_decoder(tmp_path, "c")
