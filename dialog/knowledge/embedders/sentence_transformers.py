"""Any sentence-transformers model, by hub name or folder. Needs the extra `st`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from dialog.errors import KnowledgeError, MissingExtra


class SentenceTransformerEmbedder:
    """Prefixes are the model's own `query` and `passage`/`document` prompts, where it has them."""

    def __init__(self, model: str) -> None:
        if find_spec("sentence_transformers") is None:
            raise MissingExtra("st", needed_for=f"the embedder 'st:{model}'")
        self.name = f"st:{model}"
        self._source = model
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def dimension(self) -> int:
        return int(self._model().get_sentence_embedding_dimension())

    @property
    def fingerprint(self) -> str:
        prompts = ",".join(sorted(self._model().prompts))
        return f"{self.name}/{self.dimension}/{prompts}"

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts, prompts=("query",))

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts, prompts=("passage", "document"))

    def _embed(self, texts: Sequence[str], *, prompts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        model = self._model()
        prompt = next((name for name in prompts if model.prompts.get(name)), None)
        with self._lock:
            vectors = model.encode(
                list(texts), prompt_name=prompt, normalize_embeddings=True, show_progress_bar=False
            )
        return np.asarray(vectors, dtype=np.float32)

    def _model(self) -> Any:
        with self._lock:
            if self._loaded is None:
                from sentence_transformers import SentenceTransformer

                try:
                    self._loaded = SentenceTransformer(self._source, trust_remote_code=False)
                except (OSError, ValueError) as error:
                    raise KnowledgeError(f"cannot load the embedder {self.name!r}: {error}") from error
            return self._loaded
