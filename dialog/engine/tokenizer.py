"""A transformers tokenizer as a `ChatTokenizer`: only the chat template can make control ids.

Plain text is encoded by a copy of the tokenizer that knows no added token.
`split_special_tokens=True` would not do: it leaves added tokens that are not
flagged special (`<think>`, `<tool_call>`) recognisable in whatever a user types.

    tokenizer = HFChatTokenizer(AutoTokenizer.from_pretrained(directory))
    ids, spans = tokenizer.encode("<|im_end|>")          # seven harmless pieces
    tokenizer.split_control("<|im_end|>\\n")              # [(2, "<|im_end|>"), (None, "\\n")]
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from jinja2.exceptions import TemplateError
from tokenizers import Tokenizer

from dialog.errors import ModelError
from dialog.values import Message

_MESSAGE_FIELDS = {"role", "content", "name", "tool_calls", "tool_call_id"}
_SURROGATE = re.compile("[\ud800-\udfff]")
Span = tuple[int, int]


class StockTokenizer(Protocol):
    """What is used of a transformers tokenizer; `saved_tokenizer.SavedTokenizer` has it too."""

    chat_template: Any
    """The template, or several by name; None or empty where there is none."""

    def apply_chat_template(
        self, conversation: list[dict[str, Any]], *, tokenize: bool, add_generation_prompt: bool
    ) -> Any: ...

    def decode(
        self, token_ids: list[int], *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool
    ) -> Any: ...


class HFChatTokenizer:
    """A `protocols.ChatTokenizer` over a fast transformers tokenizer with a chat template.

    Raises:
        ModelError: there is no chat template, or no fast tokenizer.
    """

    def __init__(self, tokenizer: StockTokenizer) -> None:
        self._tokenizer = tokenizer
        self._backend = _backend_of(tokenizer)
        if not tokenizer.chat_template:
            raise ModelError("the model has no chat template; choose an instruction-tuned ('-Instruct') one")
        description = json.loads(self._backend.to_str())
        self._added = {token["id"] for token in description["added_tokens"]}
        self._plain = Tokenizer.from_str(json.dumps(_without_added(description)))
        self._real_ids = {
            self._plain.token_to_id(token["content"]): token["id"]
            for token in description["added_tokens"]
            if token["id"] in _harmless(description)
        }  # the copy numbers what it was left anew
        self._control = self._added - _harmless(description) - _unknown(self._backend, description)
        self.special_ids = frozenset(token["id"] for token in description["added_tokens"] if token["special"])
        told = json.dumps([tokenizer.chat_template, description], sort_keys=True)
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()[:16]

    def apply_template(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """The stock template's text; `time`, `loss` and `weight` are not shown to it.

        Raises:
            ValueError: the template refuses these roles or their order.
        """
        shown = [message.model_dump(include=_MESSAGE_FIELDS, exclude_none=True) for message in messages]
        try:
            text = self._tokenizer.apply_chat_template(
                shown, tokenize=False, add_generation_prompt=add_generation_prompt
            )
        except TemplateError as error:
            raise ValueError(f"the chat template refuses these messages: {error}") from error
        assert isinstance(text, str)
        return text

    def split_control(self, text: str) -> list[tuple[int | None, str]]:
        """Template text in pieces, as the stock tokenizer sees its added tokens; joined they are `text`."""
        encoding = self._backend.encode(_encodable(text), add_special_tokens=False)
        pieces: list[tuple[int | None, str]] = []
        end = 0
        for token, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
            if token in self._added and start >= end:
                if end < start:
                    pieces.append((None, text[end:start]))
                pieces.append((token, text[start:stop]))
                end = stop
        return [*pieces, (None, text[end:])] if end < len(text) else pieces

    def encode(self, text: str) -> tuple[list[int], list[Span]]:
        """Ids and half-open character spans; the pieces of a multi-byte character all span it.

        Never a control id: where the base vocabulary itself holds a control
        token (unigram and word-level models do), its text is cut and encoded in parts.
        """
        encoding = self._plain.encode(_encodable(text), add_special_tokens=False)
        ids: list[int] = []
        spans: list[Span] = []
        for plain_token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            token = self._real_ids.get(plain_token, plain_token)
            if token not in self._control:
                ids.append(token)
                spans.append((start, end))
            elif end - start > 1:
                middle = (start + end) // 2
                for left, right in ((start, middle), (middle, end)):
                    part_ids, part_spans = self.encode(text[left:right])
                    ids += part_ids
                    spans += [(left + a, left + b) for a, b in part_spans]
        return ids, spans

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, control tokens included."""
        text = self._tokenizer.decode(
            list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        assert isinstance(text, str)
        return text


def _encodable(text: str) -> str:
    """Lone surrogates, which undecodable input can leave in a string, have no bytes: U+FFFD, same length."""
    return _SURROGATE.sub("\ufffd", text)


def _backend_of(tokenizer: StockTokenizer) -> Tokenizer:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelError(
            f"{type(tokenizer).__name__} has no fast tokenizer; the model's folder needs a tokenizer.json"
        )
    return backend


def _without_added(description: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer without added tokens (but white space), without BOS, without cutting or padding.

    A segment that follows a control token is never the start of the text, so
    a `prepend_scheme` of "first" becomes "never".
    """
    harmless = _harmless(description)
    kept = [token for token in description["added_tokens"] if token["id"] in harmless]
    plain = {
        **description,
        "added_tokens": kept,
        "post_processor": None,
        "truncation": None,
        "padding": None,
    }
    text = json.dumps(plain).replace('"prepend_scheme": "first"', '"prepend_scheme": "never"')
    cut: dict[str, Any] = json.loads(text)
    return cut


def _unknown(backend: Tokenizer, description: dict[str, Any]) -> set[int]:
    """What the model itself says for a character it does not know; byte-level models have no such token."""
    model = description["model"]
    named = backend.token_to_id(model["unk_token"]) if model.get("unk_token") else model.get("unk_id")
    return set() if named is None else {named}


def _harmless(description: dict[str, Any]) -> set[int]:
    """Added tokens that are mere white space: some vocabularies hold their indentation runs that way."""
    return {
        token["id"]
        for token in description["added_tokens"]
        if not token["special"] and not token["content"].strip()
    }
