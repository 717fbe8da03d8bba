"""The rules that cut text before merging, by the names a GGUF file gives them.

    pre_tokenizer("smollm")                # None for a name that is not known
    name_of(backend.pre_tokenizer)         # "smollm"; None for rules without a name

The table holds the rules as the models' own tokenizer.json files state them.
"""

from __future__ import annotations

from tokenizers import Regex, pre_tokenizers

_QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3_PATTERN = _QWEN2_PATTERN.replace(r"|\p{N}| ?", r"|\p{N}{1,3}| ?")
_NAMES = ("smollm", "qwen2", "llama-bpe", "gpt-2")


def pre_tokenizer(name: str) -> pre_tokenizers.PreTokenizer | None:
    match name:
        case "smollm":
            digits = pre_tokenizers.Digits(individual_digits=True)
            return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
        case "qwen2":
            return _split_by(_QWEN2_PATTERN)
        case "llama-bpe":
            return _split_by(_LLAMA3_PATTERN)
        case "gpt-2":
            return pre_tokenizers.ByteLevel(add_prefix_space=False)
        case _:
            return None


def name_of(rules: pre_tokenizers.PreTokenizer | None) -> str | None:
    """What a GGUF file calls these rules."""
    return next((name for name in _NAMES if repr(pre_tokenizer(name)) == repr(rules)), None)


def _split_by(pattern: str) -> pre_tokenizers.PreTokenizer:
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([split, byte_level])
