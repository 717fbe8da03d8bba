"""Questions to the server besides chat: which models it has, how long a text is in tokens.

card = find_card(wire, address)
card.dialect, card.context_tokens, card.listed
"""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from dialog.engine.remote.address import Address
from dialog.engine.remote.connection import Wire, read_start
from dialog.engine.remote.failures import Failure, Refused, broken, refused
from dialog.engine.remote.wire import Dialect

_NOT_NOW = (401, 403, 429, 503)
"""What says nothing about `/models` itself: another key is wanted, or the model is still being loaded."""
_MAX_BYTES = 1 << 24
_DIALECTS: dict[str, Dialect] = {"vllm": "vllm", "llamacpp": "llamacpp"}


class _Meta(BaseModel):
    n_ctx: int | None = None


class _Model(BaseModel):
    id: str
    owned_by: str | None = None
    max_model_len: int | None = None
    meta: _Meta | None = None


class _Models(BaseModel):
    data: list[_Model] = Field(default_factory=list)


class _Generation(BaseModel):
    n_ctx: int | None = None


class _Properties(BaseModel):
    default_generation_settings: _Generation = _Generation()


class _Count(BaseModel):
    """vLLM tells the count, llama.cpp the tokens."""

    count: int | None = Field(default=None, ge=0)
    tokens: list[Any] = Field(default_factory=list)


class Card(BaseModel):
    """What is known of the server: whose it is, what its model holds, which models it lists."""

    dialect: Dialect = "other"
    context_tokens: int | None = None
    listed: tuple[str, ...] = ()


def find_card(wire: Wire, address: Address) -> Card:
    """What `/models` says, and llama.cpp's `/props`; a server without them is an unknown one.

    Raises:
        Failure: it cannot be reached, is not ready, or wants another key.
    """
    models = _Models()
    try:
        models = _Models.model_validate_json(ask(wire, "GET", address.at("models")))
    except ValidationError:
        pass
    except Refused as refusal:
        if refusal.status in _NOT_NOW:
            raise
    listed = tuple(model.id for model in models.data)
    mine = next((model for model in models.data if model.id == address.model), None)
    mine = mine or (models.data[0] if len(models.data) == 1 else None)
    if mine is None:
        return Card(listed=listed)
    dialect = _DIALECTS.get(mine.owned_by or "", "other")
    context = mine.max_model_len or (mine.meta.n_ctx if mine.meta else None)
    if dialect == "llamacpp":
        context = _props_context(wire, address) or context
    return Card(dialect=dialect, context_tokens=context, listed=listed)


def count_tokens(wire: Wire, address: Address, dialect: Dialect, text: str) -> int:
    """How many tokens the server's tokenizer makes of plain text.

    Raises:
        Failure: it does not say.
    """
    body: dict[str, Any]
    if dialect == "vllm":
        body = {"model": address.model, "prompt": text, "add_special_tokens": False}
    else:
        body = {"content": text, "add_special": False, "parse_special": False}
    try:
        answer = _Count.model_validate_json(ask(wire, "POST", address.beside("tokenize"), body))
    except ValidationError as error:
        raise Refused(status=0, said="its /tokenize does not tell a number of tokens") from error
    return len(answer.tokens) if answer.count is None else answer.count


def _props_context(wire: Wire, address: Address) -> int | None:
    """The context that llama.cpp was started with, which may be less than the model's."""
    try:
        answer = ask(wire, "GET", address.beside("props"))
        return _Properties.model_validate_json(answer).default_generation_settings.n_ctx
    except (Failure, ValidationError):  # switched off by some: the model's own length then holds
        return None


def ask(wire: Wire, method: str, url: str, body: dict[str, Any] | None = None) -> str:
    """The body of a successful answer. Raises Failure for any other."""
    try:
        with wire.client() as client, client.stream(method, url, json=body) as response:
            answer = read_start(response.iter_bytes(), _MAX_BYTES)
            if not response.is_success:
                raise refused(response, answer)
            return answer
    except (httpx.HTTPError, OSError) as error:
        raise broken(error) from error
