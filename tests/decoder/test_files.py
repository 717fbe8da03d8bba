"""Decoders on disk, and shares of segments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dialog.decoder.attribution import segment_shares, token_weights
from dialog.decoder.config import DecoderConfig
from dialog.decoder.files import CONFIG_FILE, WEIGHTS_FILE, is_decoder, load_decoder, save_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.errors import ModelError
from dialog.values import Segment

CONFIG = DecoderConfig(
    hidden_size=8, taps=(1, 2), rank=4, heads=2, mlp_size=4, model="model-1", template="template-1"
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    save_decoder(InstructionDecoder(CONFIG), tmp_path / "decoder")
    return tmp_path / "decoder"


def load(directory: Path, *, model: str = "model-1", template: str = "template-1") -> InstructionDecoder:
    return load_decoder(directory, model=model, template=template)


def test_what_was_saved_is_loaded(saved: Path) -> None:
    torch.manual_seed(1)
    for name, tensor in InstructionDecoder(CONFIG).state_dict().items():
        assert torch.equal(load(saved).state_dict()[name], tensor), name
    assert is_decoder(saved)
    assert sorted(path.name for path in saved.iterdir()) == [WEIGHTS_FILE, CONFIG_FILE]


def test_outputs_that_begin_at_zero_are_zero_after_loading(saved: Path) -> None:
    decoder = load(saved)
    for layer in (decoder.up, decoder.own, decoder.copy_gate, decoder.mlp_out, decoder.hop_out):
        assert not layer.weight.any()


def test_another_model_or_template_is_refused(saved: Path) -> None:
    with pytest.raises(ModelError, match=r"trained on the model 'model-1', this one is 'model-2'"):
        load(saved, model="model-2")
    with pytest.raises(ModelError, match=r"chat template 'template-1'"):
        load(saved, template="template-2")


def test_damage_is_one_sentence(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no readable decoder_config.json"):
        load(tmp_path)
    (saved / WEIGHTS_FILE).write_bytes(b"\x80\x04pickled")
    with pytest.raises(ModelError, match=r"cannot be read"):
        load(saved)
    (saved / CONFIG_FILE).write_text(json.dumps({"hidden_size": "wide"}))
    with pytest.raises(ModelError, match=r"hidden_size"):
        load(saved)


def test_weights_of_another_size_are_refused(saved: Path) -> None:
    content = json.loads((saved / CONFIG_FILE).read_text())
    (saved / CONFIG_FILE).write_text(json.dumps(content | {"rank": 8}))
    with pytest.raises(ModelError, match=r"cannot be read"):
        load(saved)


def segment(ref: str, start: int, end: int) -> Segment:
    return Segment(kind="user", ref=ref, start=start, end=end)


def test_shares_are_what_spoke_for_the_reply() -> None:
    contributions = torch.tensor([[3.0, 0.0, 1.0, -5.0], [0.0, 0.0, 2.0, 0.0]])
    shares = segment_shares(
        contributions, torch.tensor([1.0, 2.0]), [segment("a", 0, 2), segment("b", 2, 3), segment("c", 3, 4)]
    )
    assert shares == [3 / 8, 5 / 8, 0.0]


def test_a_reply_nothing_spoke_for_has_no_shares() -> None:
    assert segment_shares(torch.zeros(2, 4), torch.ones(2), [segment("a", 0, 4)]) == [0.0]
    assert segment_shares(torch.zeros(2, 4), torch.ones(2), []) == []


def test_a_segment_beyond_the_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ends at 5, the prompt has 4"):
        segment_shares(torch.zeros(2, 4), torch.ones(2), [segment("a", 0, 5)])


def test_a_token_the_model_would_have_said_anyway_weighs_nothing() -> None:
    base = torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    moved = torch.tensor([[1.0, 2.0, 3.0], [9.0, 2.0, 3.0]])
    same, other = token_weights(moved, base)
    assert float(same) == 0.0
    assert float(other) > 1.0
