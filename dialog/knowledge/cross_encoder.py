"""A cross-encoder from a folder or the hub, through transformers; safetensors only, no code of the model's.

CrossEncoder("models/cross-encoder").scores("Is it free?", ["Returns are free.", "We open at nine."])
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from dialog.errors import KnowledgeError

_BATCH = 16
_MAX_TOKENS = 512
_MAX_CHARS = 8_000


class CrossEncoder:
    """A `dialog.protocols.Reranker`; loads at the first use, safe to share between threads."""

    def __init__(self, source: str) -> None:
        self.name = f"st:{source}"
        self._source = source
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        import torch

        found: list[float] = []
        with self._lock:
            tokenizer, model = self._loaded = self._loaded or self._load()
            limit = min(_MAX_TOKENS, int(getattr(model.config, "max_position_embeddings", _MAX_TOKENS)))
            for start in range(0, len(passages), _BATCH):
                batch = [text[:_MAX_CHARS] for text in passages[start : start + _BATCH]]
                inputs = tokenizer(
                    [query[-_MAX_CHARS:]] * len(batch),
                    batch,
                    padding=True,
                    truncation="longest_first",
                    max_length=limit,
                    return_tensors="pt",
                )
                with torch.inference_mode():
                    logits = model(**inputs).logits.float()
                found += (logits[:, -1] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]).tolist()
        return found

    def _load(self) -> tuple[Any, Any]:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self._source, trust_remote_code=False)
            model = AutoModelForSequenceClassification.from_pretrained(
                self._source, trust_remote_code=False, use_safetensors=True
            ).eval()
        except (OSError, ValueError) as error:
            raise KnowledgeError(
                f"cannot load the reranker {self.name!r}: {str(error).splitlines()[0]}; "
                "name a cross-encoder with safetensors weights, or leave knowledge.reranker out"
            ) from error
        if model.config.num_labels not in (1, 2):
            raise KnowledgeError(
                f"the reranker {self.name!r} has {model.config.num_labels} classes; "
                "a cross-encoder has one score, or two classes"
            )
        return tokenizer, model
