"""From `[model] name = "openai:URL#MODEL"` to a model that answers.

    model = open_remote(config.values.model, progress=print)
    print(model.info.engine)     # "openai, vllm: tokens counted by the server; no scores"

The server is asked once what it is; who counts the tokens follows from that.
"""

from __future__ import annotations

import hashlib
from functools import partial

from dialog.engine.catalogue import written_languages
from dialog.engine.remote.address import Address, Key, parse_address, read_key
from dialog.engine.remote.connection import Wire
from dialog.engine.remote.counting import StandInTokenizer, estimated_pieces, spread
from dialog.engine.remote.failures import Failure, explained, plain
from dialog.engine.remote.inquiry import Card, count_tokens, find_card
from dialog.engine.remote.model import Notify, RemoteModel
from dialog.errors import ModelError
from dialog.protocols import ChatTokenizer
from dialog.settings import ModelSection
from dialog.values import ModelInfo

_DEFAULT_CONTEXT_TOKENS = 4096
_LOCAL_ONLY = ("precision", "device", "threads")


def open_remote(config: ModelSection, *, progress: Notify | None = None) -> RemoteModel:
    """Ask the server what it has and prepare to talk to it.

    Raises:
        ModelError: the name or key is unusable, or the server cannot be reached; an adapter is
            named, which only the server could load.
    """
    notify = progress or (lambda _: None)
    address, key = parse_address(config.name), read_key(config.api_key_env)
    _check_settings(config, address, key, notify)
    wire = Wire(headers=key.headers, timeout_s=config.timeout_s)
    try:
        card = find_card(wire, address)
    except Failure as failure:
        raise explained(failure, address=address, key=key) from failure
    if card.listed and address.model not in card.listed:
        shown = ", ".join(plain(name) for name in card.listed[:5])
        notify(f"the model server {address.url!r} does not list {address.model!r}; it lists: {shown}")
    tokenizer, counted = _tokenizer(config, card, wire, address, key, notify)
    info = ModelInfo(
        name=address.name,
        fingerprint=hashlib.sha256(address.name.encode()).hexdigest()[:16],
        context_tokens=_context_tokens(config, card, address, notify),
        template_fingerprint=tokenizer.fingerprint,
        languages=config.languages or written_languages(address.model),
        device="server",
        dtype="unknown",
        engine=f"openai, {card.dialect}: tokens counted by {counted}{_scores(tokenizer)}",
    )
    return RemoteModel(
        address,
        key,
        wire,
        tokenizer,
        info=info,
        dialect=card.dialect,
        retries=config.retries,
        notify=notify,
    )


def _check_settings(config: ModelSection, address: Address, key: Key, notify: Notify) -> None:
    if config.adapter is not None or config.adapters:
        told = f"adapter = {config.adapter!r}" if config.adapter else f"adapters = {config.adapters!r}"
        raise ModelError(
            f"model.{told} cannot be used with {address.name!r}: let the server load "
            "it and give its name there after the #"
        )
    defaults = ModelSection()
    idle = [name for name in _LOCAL_ONLY if getattr(config, name) != getattr(defaults, name)]
    if idle:
        notify(
            f"{', '.join(f'model.{name}' for name in idle)}: no effect on a model that is served elsewhere"
        )
    if key.value and address.url.startswith("http://") and not address.is_here:
        notify(f"the key of {key.variable} goes to {address.url!r} unencrypted; use https where you can")


def _tokenizer(
    config: ModelSection, card: Card, wire: Wire, address: Address, key: Key, notify: Notify
) -> tuple[ChatTokenizer, str]:
    """Who counts: the tokenizer that is configured, else the server, else an estimate."""
    if config.tokenizer is not None:
        from dialog.engine.open_tokenizer import open_named_tokenizer  # loads transformers

        return open_named_tokenizer(config.tokenizer, progress=notify), f"the tokenizer of {config.tokenizer}"
    if card.dialect != "other":
        counting = partial(count_tokens, wire, address, card.dialect)
        try:
            counting("你好 hello")
        except Failure:
            notify(f"the model server {address.url!r} has no /tokenize that answers")
        else:

            def cut(text: str) -> list[str]:
                try:
                    return spread(text, counting(text)) if text else []
                except Failure as failure:
                    raise explained(failure, address=address, key=key) from failure

            return StandInTokenizer(cut, told=address.name), "the server"
    notify(
        f"tokens for {address.name} are estimated, since neither model.tokenizer nor the server counts them: "
        "prompts may hold less than they could, or more than they should"
    )
    return StandInTokenizer(estimated_pieces, told="estimate"), "an estimate"


def _context_tokens(config: ModelSection, card: Card, address: Address, notify: Notify) -> int:
    known = [tokens for tokens in (config.context_tokens, card.context_tokens) if tokens]
    if known:
        return min(known)
    notify(
        f"{address.name} does not tell how much its model holds; {_DEFAULT_CONTEXT_TOKENS} tokens are "
        "assumed, model.context_tokens says otherwise"
    )
    return _DEFAULT_CONTEXT_TOKENS


def _scores(tokenizer: ChatTokenizer) -> str:
    """What `score` needs first is known here; whether the server tells is seen when it is asked."""
    return "; no scores" if isinstance(tokenizer, StandInTokenizer) else ""
