"""Where a served model is: `openai:URL#MODEL`, and the key for it.

    address = parse_address("openai:http://localhost:8000/v1#Qwen/Qwen3-8B")
    address.at("chat/completions")      # "http://localhost:8000/v1/chat/completions"
    address.beside("tokenize")          # "http://localhost:8000/tokenize"

The key comes from the environment and stays out of names, messages and records.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx

from dialog.errors import ModelError

SCHEME = "openai:"
DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"


@dataclass(frozen=True)
class Address:
    """`url` as it was given, without a slash at its end; `model` as the server calls it."""

    url: str
    model: str

    @property
    def name(self) -> str:
        return f"{SCHEME}{self.url}#{self.model}"

    def at(self, path: str) -> str:
        """A path of the API."""
        return f"{self.url}/{path}"

    def beside(self, path: str) -> str:
        """A path that servers keep next to `/v1`."""
        return f"{self.url.removesuffix('/v1')}/{path}"

    @property
    def is_here(self) -> bool:
        """True for this machine itself."""
        host = httpx.URL(self.url).host
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


@dataclass(frozen=True)
class Key:
    """The secret of an environment variable; it shows neither in a `repr` nor in text passed by `hide`."""

    value: str = field(repr=False)
    variable: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.value}"} if self.value else {}

    def hide(self, text: str) -> str:
        return text.replace(self.value, "***") if self.value else text


def parse_address(name: str) -> Address:
    """Raises ModelError for what is not `openai:URL#MODEL`, or carries a password."""
    text, separator, model = name.removeprefix(SCHEME).partition("#")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise _malformed(name) from error
    if url.userinfo:
        raise ModelError(
            "model.name holds a user or password in its URL, where it would be shown and recorded; "
            f"put the key into the environment variable {DEFAULT_KEY_VARIABLE} instead"
        )
    if url.scheme not in ("http", "https") or not url.host or not separator or not model:
        raise _malformed(name)
    return Address(url=text.rstrip("/"), model=model)


def read_key(variable: str) -> Key:
    """The key of an environment variable; empty where the usual one is not set: many servers want none.

    Raises:
        ModelError: a variable was named and is not set, or what it holds cannot be a key.
    """
    value = os.environ.get(variable, "").strip()
    if not value and variable != DEFAULT_KEY_VARIABLE:
        raise ModelError(
            f"model.api_key_env = {variable!r}, but this environment variable is not set; set it"
        )
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise ModelError(f"the environment variable {variable!r} holds what cannot be a key; set it anew")
    return Key(value=value, variable=variable)


def _malformed(name: str) -> ModelError:
    return ModelError(
        f"{name!r} is not of the form openai:URL#MODEL, such as openai:http://localhost:8000/v1#Qwen/Qwen3-8B"
    )
