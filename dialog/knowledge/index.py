"""Documents into an index: incremental, one writer, interruptible at any point.

Each batch of documents is embedded, put into the Chroma collection and then
published by one SQLite transaction; what the collection holds beyond that is
invisible. A killed run leaves every document old or new, and the next run goes
on where it stopped. `rebuild` fills a new store beside the old one, which
readers keep until the manifest names the new one.

    report = build_index(Path("kb"), [Path("help-centre")], KnowledgeSection())
    print(report.added, report.skipped)
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.chroma import ChromaCollection, MissingCollection
from dialog.knowledge.documents import walk
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.manifest import (
    FILE_NAME,
    Manifest,
    named_collection,
    new_manifest,
    next_store,
    publish,
    read_manifest,
    remove_other_stores,
)
from dialog.knowledge.records import IndexReport
from dialog.knowledge.stamp import checked_stamp, refuse_to_disown
from dialog.knowledge.update import Progress, Update
from dialog.protocols import Embedder
from dialog.settings import KnowledgeSection

_DIRTY = "writing"


def build_index(
    path: Path,
    sources: Sequence[Path],
    section: KnowledgeSection,
    *,
    embedder: Embedder | None = None,
    prune: bool = False,
    rebuild: bool = False,
    tenant: str | None = None,
    metadata: Mapping[str, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> IndexReport:
    """Bring the index at `path` up to date with `sources`; a second run changes nothing.

    Args:
        path: the index's own folder; made if missing.
        sources: files and folders.
        section: embedder and chunk size.
        embedder: instead of the one the section names.
        prune: also forget documents under `sources` that are not there any more.
        rebuild: start from nothing; the old index answers until the new one is complete.
        tenant: whose all these documents are, whatever they say; "" makes them everybody's, None
            takes the section's tenant, and without one each document's word for it.
        metadata: put on every document in place of what it says under these names.
        progress: called after every file.

    Raises:
        KnowledgeError: another process is writing, the index is damaged, it was made with
            another embedder, chunker or segmenter, or documents would lose their owner.
    """
    started = time.perf_counter()
    embedder = embedder or open_embedder(section.embedder)
    stamp = checked_stamp(section.tenant if tenant is None else tenant, metadata or {})
    with _locked(path):
        files = list(walk(sources, without=path))
        if "tenant" not in stamp:
            refuse_to_disown(files, _given_tenants(path))
        before = read_manifest(path) if not rebuild else None
        manifest = _writable_manifest(path, embedder, section, rebuild=rebuild)
        store = path / manifest.store
        is_moved = before is not None and before.on_server != manifest.on_server
        with _opened(store, section.chroma, is_known=not is_moved) as (catalog, collection):
            run = Update(catalog, collection, embedder, section.chunk_tokens, stamp)
            run.read(files, progress=progress)
            if prune:
                run.prune(sources)
            catalog.optimise()
            num_documents, num_chunks = catalog.counts()
        publish(path, manifest)
        remove_other_stores(path, kept=manifest.store, drop=_dropping(section.chroma))
        if section.chroma:
            shutil.rmtree(store / "chroma", ignore_errors=True)
    return run.report(
        num_documents=num_documents, num_chunks=num_chunks, seconds=time.perf_counter() - started
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise KnowledgeError(
            f"another process is writing the knowledge index {str(path)!r}; wait until it is done"
        ) from error
    except OSError as error:
        raise KnowledgeError(f"cannot write to {str(path)!r}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _given_tenants(path: Path) -> dict[str, str]:
    """Files whose owner an earlier run named; of an index too damaged or old to tell, none."""
    try:
        if not (manifest := read_manifest(path)):
            return {}
        catalog = Catalog(path / manifest.store / "knowledge.db", read_only=True)
    except KnowledgeError:
        return {}
    try:
        return catalog.given_tenants()
    finally:
        catalog.close()


def _writable_manifest(
    path: Path, embedder: Embedder, section: KnowledgeSection, *, rebuild: bool
) -> Manifest:
    """The manifest to write under; a first run publishes it at once, so that it can be resumed."""
    _refuse_foreign(path)
    if rebuild:
        return new_manifest(next_store(path), embedder, section)
    manifest = read_manifest(path)
    if manifest:
        manifest.check_writable(path, embedder, section)
        remove_other_stores(path, kept=manifest.store, drop=_dropping(section.chroma))
        return manifest.model_copy(update={"on_server": bool(section.chroma)})
    remove_other_stores(path, kept=None, drop=_dropping(section.chroma))
    manifest = new_manifest("store-1", embedder, section)
    (path / manifest.store).mkdir()
    Catalog(path / manifest.store / "knowledge.db", read_only=False).close()
    publish(path, manifest)
    return manifest


def _refuse_foreign(path: Path) -> None:
    names = [entry.name for entry in path.iterdir() if not entry.name.startswith((".", "store-"))]
    if names and FILE_NAME not in names:
        raise KnowledgeError(
            f"{str(path)!r} is not a knowledge index and holds other files ({sorted(names)[0]!r}); "
            "choose an empty folder as knowledge.path"
        )


@contextmanager
def _opened(store: Path, server: str | None, *, is_known: bool) -> Iterator[tuple[Catalog, ChromaCollection]]:
    """Catalog and collection, in agreement; the collection is made again if it cannot be opened.

    `is_known` is False where the collection was elsewhere until now.
    """
    store.mkdir(exist_ok=True)
    catalog = Catalog(store / "knowledge.db", read_only=False)
    collection: ChromaCollection | None = None
    dirty = store / _DIRTY
    try:
        try:
            collection = _collection(store, server)
            is_clean = is_known and not dirty.exists() and collection.count() == catalog.counts()[1]
            dirty.touch()
            if not is_clean:
                collection.reconcile(catalog)
        except KnowledgeError:
            if server:
                raise
            shutil.rmtree(store / "chroma", ignore_errors=True)
            collection = _collection(store, server)
            collection.reconcile(catalog)
        yield catalog, collection
        dirty.unlink(missing_ok=True)
    finally:
        catalog.close()
        if collection:
            collection.close()


def _collection(store: Path, server: str | None) -> ChromaCollection:
    if server:
        return ChromaCollection.on_server(server, name=named_collection(store), create=True)
    return ChromaCollection.embedded(store / "chroma")


def _dropping(server: str | None) -> Callable[[str], None] | None:
    """How to delete a collection of that name on the server, if there is one."""
    if server is None:
        return None

    def drop(name: str) -> None:
        with suppress(MissingCollection):  # of a rebuild that was interrupted before it came so far
            ChromaCollection.on_server(server, name=name).drop()

    return drop
