"""A model of the Llama family as one GGUF file, for llama.cpp and what is built on it.

    write_gguf(model, tokenizer, Path("tuned.gguf"), name="tuned")

Llama, Qwen2 and Qwen3 with a byte-level BPE tokenizer whose cutting rules have
a name (`pre_tokenizing`); what cannot be written rightly is refused. Matrices
are kept in the precision of the model, vectors in float32.

Source: the GGUF specification and `convert_hf_to_gguf.py` of llama.cpp, whose
order of the rows of Llama's queries and keys is taken over (`_interleaved`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dialog.engine.pre_tokenizing import name_of
from dialog.errors import ModelError

_ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
}
_KINDS = {torch.float32: Kind.F32, torch.float16: Kind.F16, torch.bfloat16: Kind.BF16}
_FILE_TYPES = {
    Kind.F32: gguf.LlamaFileType.ALL_F32,
    Kind.F16: gguf.LlamaFileType.MOSTLY_F16,
    Kind.BF16: gguf.LlamaFileType.MOSTLY_BF16,
}


def write_gguf(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: Path, *, name: str) -> None:
    """Write the file, whole or not at all.

    Raises:
        ModelError: another architecture, stretched positions, or a tokenizer a GGUF has no words for.
    """
    config = model.config.get_text_config(decoder=True)
    architecture = _ARCHITECTURES.get(config.model_type)
    if architecture is None:
        raise ModelError(
            f"a model of type {config.model_type!r} cannot be written as GGUF (llama, qwen2 and qwen3 can); "
            "export it as safetensors and convert it with llama.cpp"
        )
    unfinished = path.with_name(f".{path.name}.unfinished")
    writer = gguf.GGUFWriter(unfinished, gguf.MODEL_ARCH_NAMES[architecture])
    try:
        writer.add_name(name)
        _describe(writer, config, _KINDS[model.dtype])
        _add_tokenizer(writer, tokenizer, num_rows=config.vocab_size)
        _add_tensors(writer, model, architecture)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _describe(writer: gguf.GGUFWriter, config: Any, kind: Kind) -> None:
    rope = config.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise ModelError(
            f"positions stretched by {rope['rope_type']!r} cannot be written as GGUF; "
            "export the model as safetensors and convert it with llama.cpp"
        )
    head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_file_type(_FILE_TYPES[kind])
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_dimension_count(head_size)
    writer.add_rope_freq_base(float(rope["rope_theta"]))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerBase, *, num_rows: int) -> None:
    backend = tokenizer.backend_tokenizer
    rules = name_of(backend.pre_tokenizer)
    model = json.loads(backend.to_str())["model"]
    if rules is None or model["type"] != "BPE":
        raise ModelError(
            "GGUF has no name for the rules of this tokenizer; "
            "export the model as safetensors and convert it with llama.cpp"
        )
    words = {number: word for word, number in backend.get_vocab(with_added_tokens=True).items()}
    added = backend.get_added_tokens_decoder()
    kinds = [
        gguf.TokenType.UNUSED
        if number not in words
        else gguf.TokenType.NORMAL
        if number not in added
        else gguf.TokenType.CONTROL
        if added[number].special
        else gguf.TokenType.USER_DEFINED
        for number in range(num_rows)
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(rules)
    writer.add_token_list([words.get(number, f"[PAD{number}]") for number in range(num_rows)])
    writer.add_token_types(kinds)
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in model["merges"]])
    writer.add_add_bos_token(False)
    for number, add in (
        (tokenizer.bos_token_id, writer.add_bos_token_id),
        (tokenizer.eos_token_id, writer.add_eos_token_id),
        (tokenizer.pad_token_id, writer.add_pad_token_id),
    ):
        if number is not None:
            add(number)
    if isinstance(tokenizer.chat_template, str):
        writer.add_chat_template(tokenizer.chat_template)


def _add_tensors(writer: gguf.GGUFWriter, model: PreTrainedModel, architecture: gguf.MODEL_ARCH) -> None:
    config = model.config.get_text_config(decoder=True)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    for name, tensor in _tensors(model):
        theirs = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if theirs is None:
            raise ModelError(f"the tensor {name!r} has no place in a GGUF of this architecture")
        if architecture == gguf.MODEL_ARCH.LLAMA and ".q_proj." in name:
            tensor = _interleaved(tensor, config.num_attention_heads)
        if architecture == gguf.MODEL_ARCH.LLAMA and ".k_proj." in name:
            tensor = _interleaved(tensor, config.num_key_value_heads)
        kind = _KINDS[tensor.dtype] if tensor.dim() > 1 else Kind.F32
        values: np.ndarray[Any, Any] = tensor.float().contiguous().numpy()
        writer.add_tensor(theirs, gguf.quants.quantize(values, kind), raw_dtype=kind)


def _tensors(model: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """All weights; the head is left out where it is the embedding."""
    for name, tensor in model.state_dict().items():
        if not (name == "lm_head.weight" and model.config.tie_word_embeddings):
            yield name, tensor.detach().cpu()


def _interleaved(tensor: Tensor, num_heads: int) -> Tensor:
    """The two halves that are rotated together side by side, as llama.cpp has them."""
    halves = tensor.view(num_heads, 2, tensor.shape[0] // num_heads // 2, *tensor.shape[1:])
    return halves.transpose(1, 2).reshape(tensor.shape)
