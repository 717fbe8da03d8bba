"""What an index was made with, and which of its stores is the published one.

index/
  manifest.json           this; replaced atomically, last
  store-1/knowledge.db    the truth: documents, chunks, vectors, terms
  store-1/chroma/         the collection, made from it
  .lock                   held by the one writer
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

from pydantic import ValidationError

from dialog.errors import KnowledgeError
from dialog.knowledge.chunk import CHUNKER_VERSION
from dialog.knowledge.segment import SEGMENTER_VERSION
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection
from dialog.values import Value

FORMAT = 1
FILE_NAME = "manifest.json"
_STORE = re.compile(r"store-(\d+)")
_WAY_OUT = "make it again with: instructrec index PATH... --rebuild"


class Manifest(Value):
    """The identity of an index; `store` names the folder that readers open."""

    format: int
    store: str
    embedder: str
    embedder_fingerprint: str
    dimension: int
    chunker: str
    segmenter: str

    def check_readable(self, path: Path, embedder: Embedder) -> None:
        """Raises KnowledgeError if queries embedded by `embedder` would not fit this index."""
        self._check(path, "embedder", self.embedder_fingerprint, embedder.fingerprint)
        self._check(path, "dimension", self.dimension, embedder.dimension)
        self._check(path, "segmenter", self.segmenter, SEGMENTER_VERSION)

    def check_writable(self, path: Path, embedder: Embedder, section: KnowledgeSection) -> None:
        """Raises KnowledgeError if documents added now would differ in kind from those in it."""
        self.check_readable(path, embedder)
        self._check(path, "chunker", self.chunker, chunker_identity(section))

    def _check(self, path: Path, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            raise KnowledgeError(
                f"the knowledge index {str(path)!r} was made with {what} {found!r}, the configuration has "
                f"{wanted!r}; change the configuration back, or {_WAY_OUT}"
            )


def new_manifest(store: str, embedder: Embedder, section: KnowledgeSection) -> Manifest:
    return Manifest(
        format=FORMAT,
        store=store,
        embedder=embedder.name,
        embedder_fingerprint=embedder.fingerprint,
        dimension=embedder.dimension,
        chunker=chunker_identity(section),
        segmenter=SEGMENTER_VERSION,
    )


def chunker_identity(section: KnowledgeSection) -> str:
    return f"{CHUNKER_VERSION}/{section.chunk_tokens}"


def read_manifest(path: Path) -> Manifest | None:
    """The manifest of the index at `path`; None where there is no index.

    Raises:
        KnowledgeError: it cannot be read, or a newer version of this program made it.
    """
    file = path / FILE_NAME
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content.get("format") if isinstance(content, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise KnowledgeError(
                f"the knowledge index {str(path)!r} has format {version}, this version reads up to "
                f"{FORMAT}; update instructrec, or {_WAY_OUT}"
            )
        return Manifest.model_validate(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, ValidationError) as error:
        raise KnowledgeError(f"{str(file)!r} is damaged: {_first_line(error)}; {_WAY_OUT}") from error


def publish(path: Path, manifest: Manifest) -> None:
    """Make `manifest` the index's, all at once."""
    draft = path / f".{FILE_NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        file.write(manifest.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / FILE_NAME)


def next_store(path: Path) -> str:
    """A store name that no folder has."""
    taken = [int(match.group(1)) for entry in path.iterdir() if (match := _STORE.fullmatch(entry.name))]
    return f"store-{max(taken, default=0) + 1}"


def remove_other_stores(path: Path, kept: str | None) -> None:
    """Delete stores that an interrupted rebuild left behind, or that a finished one replaced."""
    for entry in path.iterdir():
        if entry.name != kept and _STORE.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]
