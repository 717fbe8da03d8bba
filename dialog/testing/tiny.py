"""A real model without weights to fetch: two random layers behind the real engine.

What it says is noise, but equal noise for equal seeds, and everything around
it is genuine: tokenizer, template, cache, sampling, streaming.

    model = tiny_model("qwen2", seed=1)
    text = model.tokenizer.apply_template([Message(role="user", content="你好")], add_generation_prompt=True)
"""

from __future__ import annotations

from typing import Literal

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from dialog.engine.load import local_model
from dialog.engine.local import LocalModel
from dialog.values import Language

Family = Literal["llama", "qwen2", "qwen3"]

_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_ADDED = ("<think>", "</think>", "<tool_call>", "</tool_call>")
_MERGES = (("t", "h"), ("th", "e"), ("Ġ", "the"), ("i", "n"), ("e", "r"), ("o", "u"), ("ä", "½"))


def tiny_model(
    family: Family = "llama",
    *,
    seed: int = 0,
    context_tokens: int = 512,
    languages: tuple[Language, ...] = ("zh", "en"),
    cache_bytes: int = 64 * 2**20,
) -> LocalModel:
    """A random model of the family, float32 on the CPU, 64 wide, with a byte-level ChatML tokenizer."""
    return local_model(
        tiny_transformer(family, seed=seed, context_tokens=context_tokens),
        tiny_tokenizer(),
        name=f"tiny-{family}",
        fingerprint=f"tiny-{family}-{seed}-{context_tokens}",
        languages=languages,
        cache_bytes=cache_bytes,
    )


def tiny_tokenizer() -> PreTrainedTokenizerFast:
    """Bytes and seven merges; three special tokens, and four added ones that are not flagged special."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = [*_SPECIAL, *letters, *("".join(pair) for pair in _MERGES)]
    backend = Tokenizer(models.BPE({token: index for index, token in enumerate(vocabulary)}, list(_MERGES)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
    backend.add_tokens([AddedToken(token, special=False, normalized=False) for token in _ADDED])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = _CHATML
    return tokenizer


def tiny_transformer(family: Family, *, seed: int, context_tokens: int) -> PreTrainedModel:
    """The bare model; the random state of the program is left as it was."""
    sizes = {
        "vocab_size": len(tiny_tokenizer()),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context_tokens,
        "initializer_range": 0.3,  # random logits of the default 0.02 are too flat to tell an error by
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        match family:
            case "llama":
                return LlamaForCausalLM(LlamaConfig(**sizes)).eval()
            case "qwen2":
                return Qwen2ForCausalLM(Qwen2Config(**sizes)).eval()
            case "qwen3":
                return Qwen3ForCausalLM(Qwen3Config(**sizes, head_dim=16)).eval()
