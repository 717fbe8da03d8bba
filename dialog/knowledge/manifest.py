"""What an index was made with, and which of its stores is the published one.

index/
  manifest.json           this; replaced atomically, last
  store-1/knowledge.db    the truth: documents, chunks, vectors, terms
  store-1/chroma/         the collection, made from it
  store-1/collection      instead, its name on a Chroma server
  .lock                   held by the one writer
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from dialog.errors import KnowledgeError
from dialog.knowledge.chunk import CHUNKER_VERSION
from dialog.knowledge.segment import SEGMENTER_VERSION
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection
from dialog.values import Value

FORMAT = 3
FILE_NAME = "manifest.json"
_STORE = re.compile(r"store-(\d+)")
_COLLECTION = "collection"
_WAY_OUT = "make it again with: instructrec index PATH... --rebuild"


class Manifest(Value):
    """The identity of an index; `store` names the folder that readers open.

    `on_server` says where its collection is complete: on a Chroma server, or beside the catalog.
    """

    format: int
    store: str
    embedder: str
    embedder_fingerprint: str
    dimension: int
    chunker: str
    segmenter: str
    on_server: bool = False

    @property
    def fingerprint(self) -> str:
        """Of what the content was made with, not of where it lies."""
        return self.model_dump_json(exclude={"store", "on_server"})

    def check_place(self, path: Path, server: str | None) -> None:
        """Raises KnowledgeError if the collection is not where the configuration looks for it."""
        if self.on_server != bool(server):
            place = "on a Chroma server" if self.on_server else "in its own folder"
            raise KnowledgeError(
                f"the knowledge index {str(path)!r} has its vectors {place}, knowledge.chroma is {server!r}; "
                "change the configuration back, or bring them there with: instructrec index PATH..."
            )

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
    """Of a store that is still to be filled."""
    return Manifest(
        format=FORMAT,
        store=store,
        embedder=embedder.name,
        embedder_fingerprint=embedder.fingerprint,
        dimension=embedder.dimension,
        chunker=chunker_identity(section),
        segmenter=SEGMENTER_VERSION,
        on_server=bool(section.chroma),
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
        if isinstance(version, int) and version != FORMAT:
            newer = "update instructrec, or " if version > FORMAT else ""
            raise KnowledgeError(
                f"the knowledge index {str(path)!r} has format {version}, this version reads {FORMAT}; "
                f"{newer}{_WAY_OUT}"
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


def remove_other_stores(path: Path, kept: str | None, *, drop: Callable[[str], None] | None) -> None:
    """Delete stores that an interrupted rebuild left behind, or that a finished one replaced.

    `drop` deletes a collection on the server; without a server they stay there.
    """
    for entry in path.iterdir():
        if entry.name != kept and _STORE.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
            if drop and (name := collection_name(entry)):
                drop(name)
            shutil.rmtree(entry, ignore_errors=True)


def collection_name(store: Path) -> str | None:
    """What the collection of a store is called on a Chroma server; None where it never was on one."""
    try:
        return (store / _COLLECTION).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def named_collection(store: Path) -> str:
    """The same, with a name that no other index can have given where it has none yet."""
    if name := collection_name(store):
        return name
    name = f"instructrec-{uuid.uuid4().hex}"
    (store / _COLLECTION).write_text(f"{name}\n", encoding="utf-8")
    return name


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]
