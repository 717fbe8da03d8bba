"""The published state of an index as searches see it: one opened store, and what is kept of a generation.

store = Store(folder, manifest, server=None)
with store.catalog.snapshot():
    generation = store.generation()
    generation.lexicon.search(query, limit=50, view=generation.view(scope))
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.chroma import ChromaCollection
from dialog.knowledge.lexical import Lexicon
from dialog.knowledge.manifest import FILE_NAME, Manifest, collection_name, read_manifest
from dialog.knowledge.vectors import EXACT_LIMIT, ExactVectors, GraphVectors, Nearest
from dialog.knowledge.views import Columns, Scope, View
from dialog.protocols import Embedder

_KEPT_VIEWS = 64


class Generation:
    """What searches keep in memory of one published generation; dropped when the next is seen."""

    def __init__(self, store: Store, number: int) -> None:
        self.number = number
        self._store = store
        self._lock = threading.RLock()
        self._views: OrderedDict[Scope, View] = OrderedDict()
        self._centres: OrderedDict[View, np.ndarray] = OrderedDict()
        self._columns: Columns | None = None
        self._lexicon: Lexicon | None = None
        self._nearest: Nearest | None = None

    @property
    def columns(self) -> Columns:
        with self._lock:
            self._columns = self._columns or Columns.load(self._store.catalog)
            return self._columns

    @property
    def lexicon(self) -> Lexicon:
        with self._lock:
            self._lexicon = self._lexicon or Lexicon(self._store.catalog, self.columns)
            return self._lexicon

    @property
    def nearest(self) -> Nearest:
        with self._lock:
            self._nearest = self._nearest or self._store.vectors(self.columns)
            return self._nearest

    def view(self, scope: Scope) -> View:
        with self._lock:
            if scope not in self._views:
                self._views[scope] = self.columns.view(self._store.catalog, scope)
            self._views.move_to_end(scope)
            if len(self._views) > _KEPT_VIEWS:
                self._views.popitem(last=False)
            return self._views[scope]

    def centre(self, view: View) -> np.ndarray:
        """The mean of all vectors of the view."""
        with self._lock:
            if view not in self._centres:
                self._centres[view] = self.nearest.centre(view)
            if len(self._centres) > _KEPT_VIEWS:
                self._centres.popitem(last=False)
            return self._centres[view]

    def updated(self, numbers: Sequence[int]) -> list[int]:
        """When each chunk was updated, as a day's number; 0 where it does not say."""
        return [int(day) for day in self.columns.updated[self.columns.rows_of(np.array(numbers, dtype=int))]]


class Frequencies:
    """In how many chunks of a view a term occurs, in the shape in which a catalog tells it of all."""

    def __init__(self, lexicon: Lexicon, view: View) -> None:
        self._lexicon = lexicon
        self._view = view

    def document_frequencies(self, wanted: Sequence[str]) -> dict[str, int]:
        return self._lexicon.document_frequencies(wanted, view=self._view)


class Store:
    """One opened store. Thread-safe."""

    def __init__(
        self, folder: Path, manifest: Manifest, *, server: str | None, exact_limit: int = EXACT_LIMIT
    ) -> None:
        file = folder / "knowledge.db"
        if not file.is_file():
            raise KnowledgeError(
                f"the knowledge index {str(folder.parent)!r} has lost {file.name!r}; "
                "make it again with: instructrec index PATH... --rebuild"
            )
        manifest.check_place(folder.parent, server)
        self.manifest = manifest
        self.catalog = Catalog(file, read_only=True)
        self._folder = folder
        self._server = server
        self._exact_limit = exact_limit
        self._lock = threading.Lock()
        self._generation: Generation | None = None
        self._fingerprint: tuple[int, str] | None = None
        self._collection: ChromaCollection | None = None

    def close(self) -> None:
        self.catalog.close()
        if self._collection:
            self._collection.close()

    def generation(self) -> Generation:
        """What is published now; inside a snapshot, what was published when it began."""
        number = self.catalog.generation()
        with self._lock:
            if self._generation is None or self._generation.number < number:
                self._generation = Generation(self, number)
            if self._generation.number == number:
                return self._generation
        # This thread's snapshot is older than what another has seen already.
        return Generation(self, number)

    @property
    def fingerprint(self) -> str:
        with self._lock:
            generation = self.catalog.generation()
            if self._fingerprint is None or self._fingerprint[0] != generation:
                content = "\n".join([self.manifest.fingerprint, *self.catalog.chunk_ids()])
                self._fingerprint = (generation, hashlib.sha256(content.encode()).hexdigest()[:16])
            return self._fingerprint[1]

    def vectors(self, columns: Columns) -> Nearest:
        """The dense leg of the generation that `columns` are of."""
        dimension = self.manifest.dimension
        if len(columns.numbers) <= self._exact_limit:
            return ExactVectors.load(self.catalog, dimension=dimension)
        return GraphVectors(
            self._reopened(), self.catalog, columns, dimension=dimension, exact_limit=self._exact_limit
        )

    def _reopened(self) -> ChromaCollection:
        """The collection; the embedded one opened anew, for it does not see what other processes write."""
        with self._lock:
            if self._collection is None:
                self._collection = (
                    ChromaCollection.on_server(self._server, name=collection_name(self._folder) or "")
                    if self._server
                    else ChromaCollection.embedded(self._folder / "chroma")
                )
            elif not self._server:
                self._collection.reopen()
            return self._collection


class OpenStore:
    """The store that an index publishes, opened again after a rebuild; shared by all who search in it."""

    def __init__(self, path: Path, server: str | None, embedder: Embedder, *, exact_limit: int) -> None:
        self.path = path
        self.embedder = embedder
        self._server = server
        self._exact_limit = exact_limit
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._manifest: tuple[tuple[int, int], Manifest] | None = None

    def published(self) -> Store:
        """Raises KnowledgeError where there is none, or none that fits the embedder."""
        with self._lock:
            manifest = self._read_manifest()
            if self._store is None or self._store.manifest != manifest:
                manifest.check_readable(self.path, self.embedder)
                if self._store:
                    self._store.close()
                folder = self.path / manifest.store
                self._store = Store(folder, manifest, server=self._server, exact_limit=self._exact_limit)
            return self._store

    def close(self) -> None:
        with self._lock:
            if self._store:
                self._store.close()
            self._store = None

    def _read_manifest(self) -> Manifest:
        """Read again only where it was replaced: that makes another file of it."""
        try:
            status = (self.path / FILE_NAME).stat()
            version = (status.st_ino, status.st_mtime_ns)
        except OSError:
            version = (0, 0)
        if self._manifest is None or self._manifest[0] != version or version == (0, 0):
            manifest = read_manifest(self.path)
            if manifest is None:
                raise KnowledgeError(
                    f"there is no knowledge index at {str(self.path)!r}; "
                    "make one with: instructrec index PATH..."
                )
            self._manifest = (version, manifest)
        return self._manifest[1]
