"""A writer killed at any point leaves every document old or new, and the next run completes."""

import os
import signal
import subprocess
import sys

import pytest

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.chroma import ChromaCollection

NUM_DOCUMENTS = 8
WRITER = """
import os, signal, sys
from pathlib import Path
from dialog.settings import KnowledgeSection
from dialog.knowledge import update
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.index import build_index
from dialog.knowledge.chroma import ChromaCollection
from dialog.testing import HashEmbedder

index, documents, place, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
owner, name, when = {
    "before the collection": (ChromaCollection, "put", "before"),
    "between collection and catalog": (Catalog, "replace", "before"),
    "inside the transaction": (update.Catalog, "replace", "inside"),
    "after the catalog": (ChromaCollection, "delete", "before"),
}[place]
update._BATCH_CHUNKS = 1
calls = 0

def die():
    global calls
    calls += 1
    if calls == count:
        os.kill(os.getpid(), signal.SIGKILL)

if when == "inside":
    import dialog.knowledge.catalog as module
    whole = module.insert
    def insert(*arguments, **options):
        whole(*arguments, **options)
        die()
    module.insert = insert
else:
    original = getattr(owner, name)
    def patched(self, *arguments, **options):
        die()
        return original(self, *arguments, **options)
    setattr(owner, name, patched)
build_index(index, [documents], KnowledgeSection(), embedder=HashEmbedder())
"""


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "place",
    [
        "before the collection",
        "between collection and catalog",
        "inside the transaction",
        "after the catalog",
    ],
)
def test_killed_writer_leaves_old_or_new(shelf, place, count):
    write(shelf, "old")
    shelf.build()
    write(shelf, "new")
    killed = subprocess.run(
        [sys.executable, "-c", WRITER, str(shelf.index), str(shelf.documents), place, str(count)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    versions = published(shelf)
    assert set(versions) == set(range(NUM_DOCUMENTS))
    assert set(versions.values()) <= {"old", "new"}

    report = shelf.build()
    assert report.changed == list(versions.values()).count("old")
    assert published(shelf) == dict.fromkeys(range(NUM_DOCUMENTS), "new")
    assert collection_ids(shelf) == catalog_ids(shelf)


def write(shelf, version):
    for number in range(NUM_DOCUMENTS):
        paragraphs = "\n\n".join(f"Record {number} part {part} is {version}." for part in range(3))
        shelf.write(f"{number}.md", f"# Record {number}\n\n{paragraphs}\n")


def published(shelf):
    """Document number -> its version; fails where one document is a mixture or half there."""
    found = {}
    with shelf.open() as knowledge:
        for number in range(NUM_DOCUMENTS):
            passages = knowledge.search(f"Record {number} part", top_k=NUM_DOCUMENTS).passages
            (text,) = {passage.text for passage in passages if passage.source == f"{number}.md"}
            assert text.count("is old") in (0, 3)
            assert text.count("is old") + text.count("is new") == 3
            found[number] = "old" if "is old" in text else "new"
    return found


def collection_ids(shelf):
    collection = ChromaCollection.embedded(shelf.index / "store-1" / "chroma")
    try:
        return collection.ids()
    finally:
        collection.close()


def catalog_ids(shelf):
    catalog = Catalog(shelf.index / "store-1" / "knowledge.db", read_only=True)
    try:
        return set(catalog.chunk_ids())
    finally:
        catalog.close()
