"""The Chroma collection of an index: ids and vectors only, made from the catalog whenever it is lost.

Embedded beside the catalog, or on a Chroma server (`knowledge.chroma`), for
many processes that should not each hold a graph in memory. Cosine is explicit,
telemetry is off, embeddings are always passed in, so Chroma never fetches an
embedder of its own. On a server a collection is named after its store's random
id: indexes that share a server, and a rebuild beside what is published, do not meet.

    collection = ChromaCollection.embedded(Path("index/store-1/chroma"))
    collection = ChromaCollection.on_server("http://chroma:8000", name="instructrec-4f1a...")
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.chroma_server import connect, release, start_hint

_EMBEDDED_NAME = "chunks"
_BATCH = 2000
_AGAIN = "it is made again from the catalog by: instructrec index PATH..."

Answer = TypeVar("Answer")


class MissingCollection(KnowledgeError):
    """The server answers, but has no such collection."""


class ChromaCollection:
    """One collection; every failure is a KnowledgeError. Thread-safe."""

    def __init__(
        self,
        connect: Callable[[], Any],
        *,
        name: str,
        where: str,
        remedy: str,
        create: bool = True,
        release: Callable[[Any], None] = lambda client: client.close(),
    ) -> None:
        self._connect = connect
        self._release = release
        self._idle = threading.Condition()
        self._num_acting = 0
        self._where = where
        self._remedy = remedy
        self._name = name
        self._create = create
        self._client: Any = None
        try:
            self._client = connect()
            self._collection = self._opened()
        except Exception as error:  # Chroma raises bare exceptions from its engine
            if self._client is not None:
                release(self._client)
            raise error if isinstance(error, KnowledgeError) else self._failed("open", error) from error

    @classmethod
    def embedded(cls, path: Path) -> ChromaCollection:
        """The collection in a folder of its own, made if missing."""
        import chromadb
        from chromadb.api.shared_system_client import SharedSystemClient
        from chromadb.config import Settings

        try:
            return cls(
                lambda: chromadb.PersistentClient(
                    path=str(path), settings=Settings(anonymized_telemetry=False)
                ),
                name=_EMBEDDED_NAME,
                where=str(path),
                remedy=_AGAIN,
            )
        except KnowledgeError:
            # It also keeps the failed engine for this path, and would hand it out for ever.
            SharedSystemClient._identifier_to_system.pop(str(path), None)
            raise

    @classmethod
    def on_server(cls, url: str, *, name: str, create: bool = False) -> ChromaCollection:
        """The collection of that name on a server; `create` makes it if it is missing.

        Raises:
            MissingCollection: it is not there.
            KnowledgeError: see `connect`.
        """
        return cls(
            lambda: connect(url), name=name, where=url, remedy=start_hint(url), release=release, create=create
        )

    def close(self) -> None:
        self._release(self._client)

    def reopen(self) -> None:
        """See what other processes have written since; waits until nobody is asking."""
        with self._idle:
            self._idle.wait_for(lambda: self._num_acting == 0)
            try:
                self._release(self._client)
                self._client = self._connect()
                self._collection = self._opened()
            except Exception as error:  # Chroma raises bare exceptions from its engine
                raise self._failed("open", error) from error

    def drop(self) -> None:
        """Delete the collection and close."""
        try:
            self._act("delete", lambda _: self._client.delete_collection(self._name))
        finally:
            self.close()

    def ids(self) -> set[str]:
        """Every id in the collection."""
        found: set[str] = set()
        while page := self._act("read", lambda c: c.get(include=[], limit=10_000, offset=len(found))["ids"]):
            found.update(page)
        return found

    def count(self) -> int:
        return int(self._act("read", lambda collection: collection.count()))

    def put(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Add or overwrite."""
        for i in range(0, len(ids), _BATCH):
            end = i + _BATCH
            self._act("write", partial(_upsert, ids=list(ids[i:end]), embeddings=vectors[i:end]))

    def delete(self, ids: Iterable[str]) -> None:
        """Forget ids; absent ones are ignored."""
        gone = list(ids)
        for i in range(0, len(gone), _BATCH):
            self._act("write", partial(_delete, ids=gone[i : i + _BATCH]))

    def nearest(self, query: np.ndarray, *, limit: int) -> list[tuple[str, float]]:
        """(id, cosine), best first."""
        answer = self._act(
            "read", lambda c: c.query(query_embeddings=[query], n_results=limit, include=["distances"])
        )
        pairs = zip(answer["ids"][0], answer["distances"][0], strict=True)
        return [(chunk_id, 1.0 - float(distance)) for chunk_id, distance in pairs]

    def reconcile(self, catalog: Catalog) -> None:
        """Make the collection hold exactly the catalog's chunks."""
        present = self.ids()
        wanted = set(catalog.chunk_ids())
        self.delete(sorted(present - wanted))
        missing = [(chunk_id, vector) for _, chunk_id, vector in catalog.vectors() if chunk_id not in present]
        for i in range(0, len(missing), _BATCH):
            batch = missing[i : i + _BATCH]
            vectors = np.stack([np.frombuffer(vector, dtype=np.float32) for _, vector in batch])
            self.put([chunk_id for chunk_id, _ in batch], vectors)

    def _act(self, what: str, act: Callable[[Any], Answer]) -> Answer:
        """Once more with the collection looked up again: on a server it may have been made anew meanwhile."""
        from chromadb.errors import NotFoundError

        with self._idle:
            self._num_acting += 1
        try:
            try:
                return act(self._collection)
            except NotFoundError:
                self._collection = self._opened()
                return act(self._collection)
        except KnowledgeError:
            raise
        except Exception as error:  # Chroma raises bare exceptions from its engine
            raise self._failed(what, error) from error
        finally:
            with self._idle:
                self._num_acting -= 1
                self._idle.notify_all()

    def _opened(self) -> Any:
        from chromadb.errors import NotFoundError

        if self._create:
            return self._client.get_or_create_collection(
                self._name, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        try:
            return self._client.get_collection(self._name, embedding_function=None)
        except NotFoundError as error:
            raise MissingCollection(
                f"the Chroma server {self._where!r} has no collection {self._name!r}; {_AGAIN}"
            ) from error

    def _failed(self, what: str, error: Exception) -> KnowledgeError:
        problem = str(error).split("\n")[0] or type(error).__name__
        return KnowledgeError(
            f"cannot {what} the Chroma collection {self._where!r}: {problem}; {self._remedy}"
        )


def _upsert(collection: Any, *, ids: list[str], embeddings: np.ndarray) -> None:
    collection.upsert(ids=ids, embeddings=embeddings)


def _delete(collection: Any, *, ids: list[str]) -> None:
    collection.delete(ids=ids)
