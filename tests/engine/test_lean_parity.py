"""The lean forward pass computes what transformers computes, for every family and option it knows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from dialog.engine.lean.architecture import read_architecture
from dialog.engine.lean.rope import Unsupported
from dialog.engine.lean.weights import fuse
from tests.engine.making import lean_forward

IDS = [(7 * number * number) % 90 + 3 for number in range(60)]
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
MODELS: dict[str, dict[str, Any]] = {
    "llama, grouped": {"model_type": "llama"},
    "llama, a key for every query": {"model_type": "llama", "num_key_value_heads": 4},
    "llama, one key for all": {"model_type": "llama", "num_key_value_heads": 1},
    "llama, biases": {"model_type": "llama", "attention_bias": True, "mlp_bias": True},
    "llama, own head": {"model_type": "llama", "tie_word_embeddings": False},
    "llama, wide heads": {"model_type": "llama", "head_dim": 32},
    "llama 3 positions": {"model_type": "llama", "rope_parameters": LLAMA3},
    "llama, stretched positions": {
        "model_type": "llama",
        "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
    },
    "qwen2": {"model_type": "qwen2"},
    "qwen2, window": {
        "model_type": "qwen2",
        "use_sliding_window": True,
        "sliding_window": 16,
        "max_window_layers": 1,
    },
    "qwen3": {"model_type": "qwen3", "head_dim": 32},
    "gemma": {"model_type": "gemma", "head_dim": 16},
    "gemma2": {"model_type": "gemma2", "head_dim": 16, "query_pre_attn_scalar": 24, "sliding_window": 16},
    "gemma3": {
        "model_type": "gemma3_text",
        "head_dim": 16,
        "query_pre_attn_scalar": 24,
        "sliding_window": 16,
        "layer_types": ["sliding_attention", "full_attention"],
        "final_logit_softcapping": 20.0,
    },
}


def transformer(name: str) -> PreTrainedModel:
    """A random model; norms and biases are not left at one and zero, where an error would not show."""
    sizes = {
        "vocab_size": 96,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": 0.2,
        "tie_word_embeddings": True,
        "attn_implementation": "eager",
    }
    options = {**sizes, **MODELS[name]}
    config = AutoConfig.for_model(options.pop("model_type"), **options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).eval()
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or "bias" in parameter_name:
                parameter.data += 0.3 * torch.randn_like(parameter)
    return model


@torch.inference_mode()
def theirs(model: PreTrainedModel, ids: list[int]) -> torch.Tensor:
    logits_TV = model(torch.tensor([ids])).logits[0]
    assert isinstance(logits_TV, torch.Tensor)
    return logits_TV


@pytest.mark.parametrize("name", MODELS)
def test_logits_are_those_of_transformers(name: str) -> None:
    model = transformer(name)
    ours = lean_forward(model)
    assert torch.allclose(ours.all_logits(IDS, ours.new_cache()), theirs(model, IDS), atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_reading_in_pieces_changes_nothing(name: str) -> None:
    model = transformer(name)
    ours = lean_forward(model)
    kv = ours.new_cache()
    pieces = (IDS[:20], IDS[20:21], IDS[21:24], IDS[24:45], *([token] for token in IDS[45:]))
    logits_TV = torch.cat([ours.all_logits(piece, kv) for piece in pieces])
    assert torch.allclose(logits_TV, theirs(model, IDS), atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_going_back_and_on_is_as_if_never_gone(name: str) -> None:
    model = transformer(name)
    ours = lean_forward(model)
    kv = ours.new_cache()
    ours.next_logits(IDS, kv)
    assert kv.crop(30)
    other = [*IDS[:30], 9, 8, 7, 6, 5, 4]
    assert torch.allclose(ours.all_logits(other[30:], kv), theirs(model, other)[30:], atol=1e-4)


def test_a_copy_goes_its_own_way() -> None:
    ours = lean_forward(transformer("qwen3"))
    kv = ours.new_cache()
    ours.next_logits(IDS[:30], kv)
    fork = kv.copy(kv.length)
    ours.next_logits([5, 6, 7, 8, 9], fork)
    expected = ours.next_logits(IDS[:40], ours.new_cache())
    assert (kv.length, fork.length) == (30, 35)
    assert torch.allclose(ours.next_logits(IDS[30:40], kv), expected, atol=1e-4)


def test_the_cache_grows_past_its_first_capacity() -> None:
    model = transformer("llama, grouped")
    ours = lean_forward(model)
    kv = ours.new_cache()
    long = IDS * 4
    first = ours.all_logits(long[:200], kv)
    rest = ours.all_logits(long[200:], kv)
    assert torch.allclose(torch.cat([first, rest]), theirs(model, long), atol=1e-4)
    assert kv.length == 240


@pytest.mark.parametrize("name", MODELS)
def test_a_config_as_files_had_it_before_transformers_5_reads_the_same(name: str) -> None:
    config = transformer(name).config.to_dict()
    expected = read_architecture(config)
    parameters = config.pop("rope_parameters")
    if config["model_type"] == "gemma3_text":
        config["rope_theta"] = parameters["full_attention"]["rope_theta"]
        config["rope_local_base_freq"] = parameters["sliding_attention"]["rope_theta"]
    else:
        config["rope_theta"] = parameters.pop("rope_theta")
        if parameters["rope_type"] != "default":
            config["rope_scaling"] = parameters
    assert read_architecture(config) == expected


@pytest.mark.parametrize("model_type", ["llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"])
def test_what_a_config_leaves_out_is_as_transformers_fills_it(model_type: str) -> None:
    told = {
        "model_type": model_type,
        "vocab_size": 96,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 7,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    filled = AutoConfig.for_model(**told).to_dict()
    told["max_position_embeddings"] = filled["max_position_embeddings"]
    assert read_architecture(told) == read_architecture(filled)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"model_type": "phi3"}, "phi3"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 4.0}}, "yarn"),
        ({"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}, "partial_rotary"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"hidden_act": "relu"}, "activation"),
        ({"use_bidirectional_attention": True}, "bidirectional"),
        ({"hidden_size": None}, "unreadable"),
    ],
)
def test_what_is_not_known_is_refused(changed: dict[str, Any], complaint: str) -> None:
    config = {**transformer("llama, grouped").config.to_dict(), **changed}
    with pytest.raises(Unsupported, match=complaint):
        read_architecture(config)


def test_a_tensor_left_over_is_refused() -> None:
    model = transformer("llama, grouped")
    weights = {**model.state_dict(), "model.layers.0.self_attn.sinks": torch.zeros(4)}
    with pytest.raises(Unsupported, match="sinks"):
        fuse(read_architecture(model.config.to_dict()), weights, dtype=torch.float32)


def test_a_missing_or_misshapen_tensor_is_refused() -> None:
    model = transformer("qwen3")
    architecture = read_architecture(model.config.to_dict())
    name = "model.layers.1.self_attn.q_norm.weight"
    weights = model.state_dict()
    with pytest.raises(Unsupported, match="not \\(32,\\)"):
        fuse(architecture, {**weights, name: torch.zeros(31)}, dtype=torch.float32)
    del weights[name]
    with pytest.raises(Unsupported, match="lack"):
        fuse(architecture, weights, dtype=torch.float32)


def test_a_head_that_was_tied_and_has_changed_is_refused() -> None:
    model = transformer("llama, grouped")
    weights = {**model.state_dict(), "lm_head.weight": torch.zeros(96, 64)}
    with pytest.raises(Unsupported, match="differ"):
        fuse(read_architecture(model.config.to_dict()), weights, dtype=torch.float32)
