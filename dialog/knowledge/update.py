"""One indexing run: which documents are new, changed or gone, embedded and published batch by batch.

run = Update(catalog, collection, embedder, limit_words=160, stamp={"tenant": "acme"})
run.read(list(walk(sources)), progress=None)
run.prune(sources)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.chroma import ChromaCollection
from dialog.knowledge.chunk import chunk_document
from dialog.knowledge.documents import SourceFile, converted_hash, read_file
from dialog.knowledge.readers.converted import notes_of
from dialog.knowledge.records import IndexReport, Loaded, Skip, TextChunk
from dialog.knowledge.rows import NewChunk
from dialog.knowledge.stamp import put_on, stamped_hash
from dialog.protocols import Embedder
from dialog.values import Value

_BATCH_CHUNKS = 128
_BATCH_DOCUMENTS = 500


class Progress(Value):
    """How far an indexing run is; `source` is the file being read."""

    files_done: int
    files_total: int
    chunks_embedded: int
    source: str


@dataclass
class Update:
    """One indexing run: what is known already, what waits to be embedded, what has been done."""

    catalog: Catalog
    collection: ChromaCollection
    embedder: Embedder
    limit_words: int
    stamp: Mapping[str, str] = field(default_factory=dict)
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    embedded: int = 0
    skipped: list[Skip] = field(default_factory=list)
    notices: list[Skip] = field(default_factory=list)
    waiting: list[tuple[Loaded, list[TextChunk]]] = field(default_factory=list)
    known: dict[str, tuple[str, str]] = field(default_factory=dict)
    origins: dict[str, set[str]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    unlisted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = self.catalog.content_hashes()
        for key, (origin, _) in self.known.items():
            self.origins.setdefault(origin, set()).add(key)

    def read(
        self, files: Sequence[SourceFile | Skip], *, progress: Callable[[Progress], None] | None
    ) -> None:
        for done, file in enumerate(files, 1):
            if isinstance(file, Skip):
                self.skipped.append(file)
                self.unlisted += [Path(file.source).resolve().as_posix()] if file.unread else []
            else:
                self._read_file(file)
            if progress:
                progress(
                    Progress(
                        files_done=done,
                        files_total=len(files),
                        chunks_embedded=self.embedded,
                        source=file.source,
                    )
                )
        self._flush()

    def prune(self, sources: Sequence[Path]) -> None:
        """Forget documents that lay under `sources` and were not found there this time.

        What lies in a folder that could not be listed is not known to be gone.
        """
        roots = [source.resolve().as_posix() for source in sources]
        gone = [
            key
            for origin, keys in self.origins.items()
            if origin not in self.found and _is_under(origin, roots) and not _is_under(origin, self.unlisted)
            for key in keys
        ]
        self._remove(gone)

    def report(self, *, num_documents: int, num_chunks: int, seconds: float) -> IndexReport:
        return IndexReport(
            added=self.added,
            changed=self.changed,
            removed=self.removed,
            unchanged=self.unchanged,
            skipped=tuple(self.skipped),
            notices=tuple(self.notices),
            num_documents=num_documents,
            num_chunks=num_chunks,
            num_embedded=self.embedded,
            seconds=seconds,
        )

    def _read_file(self, file: SourceFile) -> None:
        self.found.add(file.key)
        if self._is_unchanged(file):
            self._keep(file)
            return
        present: set[str] = set()
        is_unread = False
        for item in read_file(file):
            if isinstance(item, Skip):
                self.skipped.append(item)
                is_unread = is_unread or item.unread
                continue
            stamped = put_on(item, self.stamp)
            self.skipped += stamped.skipped
            self.notices += stamped.notices
            if stamped.loaded:
                present.add(item.key)
                self._consider(stamped.loaded)
        if not is_unread:
            self._remove(sorted(self.origins.get(file.key, set()) - present))

    def _is_unchanged(self, file: SourceFile) -> bool:
        """Of a file that would have to be converted, known by its bytes and its stamp alone."""
        _, known_hash = self.known.get(file.key, ("", ""))
        if not known_hash or self.origins[file.key] != {file.key}:
            return False
        own_hash = converted_hash(file)
        return own_hash is not None and stamped_hash(own_hash, self.stamp) == known_hash

    def _keep(self, file: SourceFile) -> None:
        """A converted file that is unchanged is not converted again; what it lacks is still said."""
        self.unchanged += 1
        if document := self.catalog.document(file.key):
            self.skipped += notes_of(file.source, document)

    def _consider(self, loaded: Loaded) -> None:
        _, known_hash = self.known.get(loaded.key, (None, None))
        if known_hash == loaded.document.content_hash:
            self.unchanged += 1
            return
        if known_hash is None:
            self.added += 1
        else:
            self.changed += 1
        self.waiting.append((loaded, chunk_document(loaded, limit_words=self.limit_words)))
        num_chunks = sum(len(chunks) for _, chunks in self.waiting)
        if num_chunks >= _BATCH_CHUNKS or len(self.waiting) >= _BATCH_DOCUMENTS:
            self._flush()

    def _flush(self) -> None:
        """Embed and publish what waits: collection first, catalog second, then the collection's leftovers."""
        if not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        old = set(self.catalog.chunk_ids_of([loaded.key for loaded, _ in waiting]))
        documents = self._with_own_ids(waiting, old)
        stored = self._with_vectors(documents)
        new = [chunk for _, chunks in stored for chunk in chunks if chunk.chunk.id not in old]
        if new:
            vectors = np.stack([np.frombuffer(chunk.vector, dtype=np.float32) for chunk in new])
            self.collection.put([chunk.chunk.id for chunk in new], vectors)
        self.catalog.replace(stored, given_tenant=self.stamp.get("tenant"))
        self.collection.delete(old - {chunk.chunk.id for _, chunks in stored for chunk in chunks})

    def _remove(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        ids = self.catalog.chunk_ids_of(keys)
        self.catalog.replace([], removed=keys)
        self.collection.delete(ids)
        self.removed += len(keys)

    def _with_own_ids(
        self, waiting: list[tuple[Loaded, list[TextChunk]]], old: set[str]
    ) -> list[tuple[Loaded, list[TextChunk]]]:
        """Equal passages of files with one relative name would share an id; the later gets another."""
        ids = [chunk.id for _, chunks in waiting for chunk in chunks]
        taken = set(self.catalog.numbers_by_id(ids)) - old
        documents = []
        for loaded, chunks in waiting:
            own = []
            for chunk in chunks:
                if chunk.id in taken:
                    identity = hashlib.sha256(f"{chunk.id}\0{loaded.key}".encode()).hexdigest()
                    chunk = replace(chunk, id=identity[:20])
                taken.add(chunk.id)
                own.append(chunk)
            documents.append((loaded, own))
        return documents

    def _with_vectors(
        self, documents: list[tuple[Loaded, list[TextChunk]]]
    ) -> list[tuple[Loaded, list[NewChunk]]]:
        """Vectors of texts embedded before are taken from the catalog."""
        texts = {_digest(chunk): chunk.embedded for _, chunks in documents for chunk in chunks}
        vectors = self.catalog.known_vectors(texts)
        missing = sorted((digest for digest in texts if digest not in vectors), key=lambda d: len(texts[d]))
        for i in range(0, len(missing), _BATCH_CHUNKS):
            batch = missing[i : i + _BATCH_CHUNKS]
            rows = np.ascontiguousarray(
                self.embedder.embed_passages([texts[digest] for digest in batch]), dtype=np.float32
            )
            vectors |= {digest: row.tobytes() for digest, row in zip(batch, rows, strict=True)}
            self.embedded += len(batch)
        return [
            (loaded, [NewChunk(chunk, _digest(chunk), vectors[_digest(chunk)]) for chunk in chunks])
            for loaded, chunks in documents
        ]


def _is_under(origin: str, folders: Sequence[str]) -> bool:
    return any(f"{origin}/".startswith(f"{folder}/") for folder in folders)


def _digest(chunk: TextChunk) -> str:
    return hashlib.sha256(chunk.embedded.encode("utf-8", "replace")).hexdigest()
