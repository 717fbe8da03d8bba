"""What transformers made of a model's tokenizer files, kept so that the next start need not ask it.

    save_tokenizer(AutoTokenizer.from_pretrained(folder), directory, end_ids={2})
    tokenizer = SavedTokenizer(directory)            # loads `tokenizers` and jinja2, not transformers

transformers has rules of its own for many tokenizer classes. They are applied
once, by itself; here lie the finished tokenizer, the template and the names
of the special tokens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from tokenizers import Tokenizer

from dialog.engine.chat_template import compile_template
from dialog.errors import ModelError

TOKENIZER, CHAT = "tokenizer.json", "chat.json"


def save_tokenizer(tokenizer: Any, directory: Path, *, end_ids: Iterable[int]) -> None:
    """Write a fast transformers tokenizer and the ids that end a reply.

    Raises:
        ModelError: no fast tokenizer, or no chat template.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelError(f"{type(tokenizer).__name__} has no fast tokenizer")
    if not tokenizer.chat_template:
        raise ModelError("the model has no chat template; choose an instruction-tuned ('-Instruct') one")
    chat = {
        "chat_template": tokenizer.chat_template,
        "chosen_template": tokenizer.get_chat_template(),
        "special_tokens": tokenizer.special_tokens_map,
        "end_ids": sorted(end_ids),
    }
    (directory / TOKENIZER).write_text(backend.to_str(), encoding="utf-8")
    (directory / CHAT).write_text(json.dumps(chat, ensure_ascii=False, default=str), encoding="utf-8")


class SavedTokenizer:
    """A `tokenizer.StockTokenizer` out of two files."""

    def __init__(self, directory: Path) -> None:
        chat = json.loads((directory / CHAT).read_text(encoding="utf-8"))
        self.backend_tokenizer = Tokenizer.from_file(str(directory / TOKENIZER))
        self.chat_template: Any = chat["chat_template"]
        self.end_ids = frozenset(int(token) for token in chat["end_ids"])
        self._chosen: str = chat["chosen_template"]
        self._special_tokens: dict[str, Any] = chat["special_tokens"]

    def apply_chat_template(
        self, conversation: list[dict[str, Any]], *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        """The template's text. Raises jinja2.TemplateError where it refuses the messages."""
        assert not tokenize
        return self._template.render(
            messages=conversation,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **self._special_tokens,
        )

    def decode(
        self, token_ids: list[int], *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool
    ) -> str:
        assert not clean_up_tokenization_spaces
        return self.backend_tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)

    @cached_property
    def _template(self) -> jinja2.Template:
        return compile_template(self._chosen)
