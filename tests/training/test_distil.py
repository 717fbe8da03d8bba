"""A LoRA learns what a decoder says, in words the decoder was never asked for; nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from dialog.decoder.config import DecoderConfig
from dialog.decoder.files import save_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ConfigError
from dialog.settings import TrainingSection
from dialog.testing.tiny import tiny_tokenizer
from training.evaluation import losses_of
from training.examples import Example
from training.features import FeatureCache
from training.methods.backbone import Backbone
from training.methods.decoder import DecoderMethod
from training.methods.distil import DistilMethod
from training.methods.opening import Base, open_method
from training.run import Run, RunOptions


@pytest.fixture
def decoder() -> InstructionDecoder:
    """It says something else than the model."""
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    config = DecoderConfig(
        hidden_size=64, taps=(1, 2), rank=32, heads=4, mlp_size=32, model="f", template=tokenizer.fingerprint
    )
    torch.manual_seed(3)
    decoder = InstructionDecoder(config)
    torch.nn.init.normal_(decoder.own.weight, std=0.1)
    torch.nn.init.constant_(decoder.copy_gate.bias, 2.0)
    return decoder.eval()


def student_of(model: PreTrainedModel, decoder: InstructionDecoder) -> DistilMethod:
    cache = FeatureCache(None, model=model, fingerprint="f", template="t", taps=decoder.config.taps)
    teacher = DecoderMethod(decoder, cache, head_VD=model.get_output_embeddings().weight)
    return DistilMethod(model, teacher, rank=8, alpha=8.0, dropout=0.0, variant="rslora", base_name="tiny")


def test_the_student_comes_near_the_teacher(
    fresh_model: PreTrainedModel, decoder: InstructionDecoder, examples: list[Example]
) -> None:
    method = student_of(fresh_model, decoder)
    before = [one.clone() for one in decoder.parameters()]
    options = RunOptions(epochs=6, lr=1e-2, batch_tokens=1500)
    reports = list(Run(method, options).reports(examples[:32]))
    assert reports[-1].train_loss < 0.5 * reports[0].train_loss
    assert all(torch.equal(one, other) for one, other in zip(decoder.parameters(), before, strict=True))


def test_the_divergence_is_that_of_the_whole_distributions(
    fresh_model: PreTrainedModel, decoder: InstructionDecoder, examples: list[Example]
) -> None:
    method = student_of(fresh_model, decoder)
    example = examples[0]
    batch = method.batch([example])
    found_Q = method.losses(batch).tokens_BQ[0].detach()
    taps_TKD = method.teacher.cache.taps(example)[None]
    with torch.no_grad(), method.peft.disable_adapter():
        memory = decoder.read(taps_TKD, batch.ids_BT, batch.inputs.inputs.kinds_BT)
        look = decoder.look(taps_TKD[:, batch.positions_BQ[0]], batch.positions_BQ, memory)
        hidden_BQD = taps_TKD[:, batch.positions_BQ[0], -1]
        taught = decoder.logits(hidden_BQD, look, memory, method.teacher.head_VD)[0].log_softmax(-1)
        said = method.causal(batch.ids_BT).logits[0, batch.positions_BQ[0]].log_softmax(-1)
    plain_Q = (taught.exp() * (taught - said)).sum(dim=-1)
    torch.testing.assert_close(found_Q, plain_Q, rtol=1e-3, atol=1e-4)
    assert float(plain_Q.min()) > 0.01


def test_held_out_loss_is_cross_entropy(
    fresh_model: PreTrainedModel, decoder: InstructionDecoder, examples: list[Example]
) -> None:
    plain = losses_of(Backbone(fresh_model), examples[:3], batch_tokens=500)
    found = losses_of(student_of(fresh_model, decoder), examples[:3], batch_tokens=500)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(plain))


def test_the_setting_names_the_teacher(
    fresh_model: PreTrainedModel, decoder: InstructionDecoder, tmp_path: Path
) -> None:
    save_decoder(decoder, tmp_path)
    base = Base("tiny", "f", fresh_model, tiny_tokenizer(), HFChatTokenizer(tiny_tokenizer()))
    section = TrainingSection(method="adapter", teacher=str(tmp_path))
    with pytest.raises(ConfigError, match="is for --method lora"):
        open_method(section, base, num_steps=1, features=None)
    section = section.model_copy(update={"method": "lora", "rank": 4})
    method = open_method(section, base, num_steps=1, features=None)
    assert isinstance(method, DistilMethod)
    assert not any(one.requires_grad for one in method.teacher.module.parameters())


@pytest.mark.parametrize("setting", ["neftune", "adversarial", "denoise"])
def test_a_teacher_beside_disturbed_inputs_is_refused(fresh_model: PreTrainedModel, setting: str) -> None:
    base = Base("tiny", "f", fresh_model, tiny_tokenizer(), HFChatTokenizer(tiny_tokenizer()))
    section = TrainingSection.model_validate({"method": "lora", "teacher": "taught", setting: 0.1})
    with pytest.raises(ConfigError, match="goes with none of neftune"):
        open_method(section, base, num_steps=1, features=None)
