"""An agent's conversations are answered with adapters of their own, and replies say with which."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model

from dialog.engine.load import open_model
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.testing import ScriptedModel
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from tests.agent.conftest import MakeAgent

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
QUICK = ("sampling.max_tokens=8", "prompt.system=Be brief. 简短回答。", "model.languages=['en', 'zh']")


def section(folder: Path) -> ModelSection:
    tiny_transformer("qwen3", seed=1, context_tokens=2048).save_pretrained(folder / "base")
    tiny_tokenizer().save_pretrained(folder / "base")
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = get_peft_model(tiny_transformer("qwen3", seed=1, context_tokens=2048), config)
    model.save_pretrained(folder / "退款")
    told = {"name": str(folder / "base"), "precision": "fp32", "adapters": {"退款": str(folder / "退款")}}
    return ModelSection.model_validate(told)


@pytest.mark.parametrize("text", ["Hello there, who are you?", "你好，你是谁？"])
def test_an_adapter_is_changed_in_one_conversation(make_agent: MakeAgent, tmp_path: Path, text: str) -> None:
    agent = make_agent(open_model(section(tmp_path)), None, QUICK)
    agent.use_adapter("退款", "a")
    replies = {name: agent.reply(text, conversation_id=name) for name in "ab"}
    assert replies["a"].mode == replies["b"].mode == "generated"
    assert replies["a"].text != replies["b"].text
    assert replies["a"].fingerprint.adapter == str(tmp_path / "退款")
    assert replies["b"].fingerprint.adapter is None
    agent.use_adapter(None, "a")
    agent.undo("a")
    again = agent.reply(text, conversation_id="a")
    assert (again.text, again.fingerprint.adapter) == (replies["b"].text, None)


def test_a_model_that_takes_no_adapters_says_so(make_agent: MakeAgent) -> None:
    with pytest.raises(ModelError, match="takes no adapters"):
        make_agent(ScriptedModel(["Yes."])).use_adapter("refunds", "c")
