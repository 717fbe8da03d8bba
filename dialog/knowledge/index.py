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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.documents import walk
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.manifest import (
    FILE_NAME,
    Manifest,
    new_manifest,
    next_store,
    publish,
    read_manifest,
    remove_other_stores,
)
from dialog.knowledge.records import IndexReport
from dialog.knowledge.update import Progress, Update
from dialog.knowledge.vectors import ChromaCollection
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
        progress: called after every file.

    Raises:
        KnowledgeError: another process is writing, the index is damaged, or it was made
            with another embedder, chunker or segmenter.
    """
    started = time.perf_counter()
    embedder = embedder or open_embedder(section.embedder)
    with _locked(path):
        manifest = _writable_manifest(path, embedder, section, rebuild=rebuild)
        store = path / manifest.store
        with _opened(store) as (catalog, collection):
            run = Update(catalog, collection, embedder, section.chunk_tokens)
            run.read(list(walk(sources, without=path)), progress=progress)
            if prune:
                run.prune(sources)
            catalog.optimise()
            num_documents, num_chunks = catalog.counts()
        publish(path, manifest)
        remove_other_stores(path, kept=manifest.store)
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
        remove_other_stores(path, kept=manifest.store)
        return manifest
    remove_other_stores(path, kept=None)
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
def _opened(store: Path) -> Iterator[tuple[Catalog, ChromaCollection]]:
    """Catalog and collection, in agreement; the collection is made again if it cannot be opened."""
    store.mkdir(exist_ok=True)
    catalog = Catalog(store / "knowledge.db", read_only=False)
    collection: ChromaCollection | None = None
    dirty = store / _DIRTY
    try:
        try:
            collection = ChromaCollection(store / "chroma")
            is_clean = not dirty.exists() and collection.count() == catalog.counts()[1]
            dirty.touch()
            if not is_clean:
                collection.reconcile(catalog)
        except KnowledgeError:
            shutil.rmtree(store / "chroma", ignore_errors=True)
            collection = ChromaCollection(store / "chroma")
            collection.reconcile(catalog)
        yield catalog, collection
        dirty.unlink(missing_ok=True)
    finally:
        catalog.close()
        if collection:
            collection.close()
