"""The one door to sacrebleu, an optional dependency, and the tokenizer a language needs.

sacrebleu's default tokenizer `13a` makes one token of a Chinese sentence, and
two equal sentences score 0.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from dialog.errors import MissingExtra
from dialog.text import detect_language


def sacrebleu() -> ModuleType:
    """The library. Raises MissingExtra."""
    try:
        return importlib.import_module("sacrebleu")
    except ImportError:
        raise MissingExtra("replay", needed_for="BLEU or chrF") from None


def tokenizer_for(text: str) -> str:
    """`zh` for a Chinese text, `13a` for any other."""
    return "zh" if detect_language(text) == "zh" else "13a"


def bleu_scorer(tokenizer: str) -> Any:
    """A BLEU scorer; ValueError if sacrebleu has no such tokenizer."""
    library = sacrebleu()
    known = sorted(library.BLEU.TOKENIZERS)
    if tokenizer not in known:
        raise ValueError(f"sacrebleu has no tokenizer {tokenizer!r}; it has {', '.join(known)}")
    return library.BLEU(tokenize=tokenizer)
