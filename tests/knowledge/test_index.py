"""Indexing: incremental, idempotent, exclusive, and refusing what does not fit."""

import json

import pytest
from filelock import FileLock

from dialog.errors import KnowledgeError
from dialog.knowledge.catalog import Catalog
from dialog.knowledge.chroma import ChromaCollection
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection
from dialog.testing import HashEmbedder


def changes(report):
    return (report.added, report.changed, report.removed, report.unchanged)


def collection_ids(shelf, store="store-1"):
    collection = ChromaCollection.embedded(shelf.index / store / "chroma")
    try:
        return collection.ids()
    finally:
        collection.close()


def catalog_ids(shelf, store="store-1"):
    catalog = Catalog(shelf.index / store / "knowledge.db", read_only=True)
    try:
        return set(catalog.chunk_ids())
    finally:
        catalog.close()


def test_second_run_changes_nothing(shop):
    before = shop.open().fingerprint
    report = shop.build()
    assert changes(report) == (0, 0, 0, 3)
    assert report.num_embedded == 0
    assert shop.open().fingerprint == before


def test_only_the_changed_document_is_embedded(shop):
    shop.write("hours.txt", "Opening hours\nWe open at ten.\n")
    report = shop.build()
    assert changes(report) == (0, 1, 0, 2)
    assert report.num_embedded == 1


def test_only_the_changed_entry_of_an_faq_is_embedded(shop):
    shop.write(
        "faq.csv",
        "问题,答案\n怎么申请退货,签收后十四天内可以退货。\n手机保修期多久,手机保修一年，电池保修半年。\n",
    )
    report = shop.build()
    assert changes(report) == (0, 1, 0, 2)
    assert report.num_embedded == 1


def test_old_text_is_gone(shop):
    shop.write("hours.txt", "Opening hours\nWe open at ten.\n")
    shop.build()
    texts = shop.texts("open at nine or ten on weekdays")
    assert "We open at ten." in texts
    assert not any("nine" in text for text in texts)


def test_collection_holds_what_the_catalog_holds(shop):
    assert collection_ids(shop) == catalog_ids(shop)
    shop.write("hours.txt", "Opening hours\nWe open at ten.\n")
    (shop.documents / "faq.csv").unlink()
    shop.build(prune=True)
    assert collection_ids(shop) == catalog_ids(shop)


def test_missing_file_stays_until_pruned(shop):
    (shop.documents / "hours.txt").unlink()
    assert changes(shop.build()) == (0, 0, 0, 2)
    assert any("nine" in text for text in shop.texts("when do you open"))
    assert changes(shop.build(prune=True)) == (0, 0, 1, 2)
    assert not any("nine" in text for text in shop.texts("when do you open"))


def test_prune_touches_only_what_lay_under_the_given_paths(shop, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "note.md").write_text("A note about parking.\n")
    shop.build(other)
    (shop.documents / "hours.txt").unlink()
    assert shop.build(other, prune=True).removed == 0
    assert shop.build(shop.documents, prune=True).removed == 1


def test_prune_of_a_path_that_is_gone_forgets_it(shop):
    (shop.documents / "hours.txt").unlink()
    report = shop.build(shop.documents / "hours.txt", prune=True)
    assert report.removed == 1


def test_emptied_file_is_forgotten(shop):
    shop.write("hours.txt", "")
    report = shop.build()
    assert report.removed == 1
    assert [skip.reason for skip in report.skipped] == ["is empty"]


def test_unreadable_file_keeps_what_is_known_of_it(shop, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    report = shop.build(prune=True)
    assert (report.removed, report.num_documents) == (0, 3)


def test_folder_that_cannot_be_listed_keeps_what_is_known_of_it(shop, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    report = shop.build(prune=True)
    assert (report.removed, report.num_documents) == (0, 3)


def test_row_that_left_its_file_is_gone_without_prune(shop):
    shop.write(
        "dump.jsonl", '{"id": "1", "text": "Parking is free."}\n{"id": "2", "text": "Bikes are not."}\n'
    )
    assert shop.build().added == 2
    shop.write("dump.jsonl", '{"id": "2", "text": "Bikes are not."}\n')
    assert changes(shop.build()) == (0, 0, 1, 4)


def test_equal_files_in_two_folders_are_two_documents(shelf):
    shelf.write("a/x.md", "# Same\n\nSame text.\n")
    shelf.write("b/x.md", "# Same\n\nSame text.\n")
    report = shelf.build(shelf.documents / "a", shelf.documents / "b")
    assert (report.num_documents, report.num_chunks, report.num_embedded) == (2, 2, 1)
    assert collection_ids(shelf) == catalog_ids(shelf)
    assert changes(shelf.build(shelf.documents / "a", shelf.documents / "b")) == (0, 0, 0, 2)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"embedder": HashEmbedder(name="other")}, "embedder"),
        ({"embedder": HashEmbedder(dimension=32)}, "embedder"),
        ({"section": KnowledgeSection(chunk_tokens=99)}, "chunker"),
    ],
)
def test_another_configuration_is_refused_with_the_way_out(shop, change, word):
    options = {"section": shop.section, "embedder": shop.embedder, **change}
    section = options.pop("section")
    with pytest.raises(KnowledgeError, match=f"{word}.*--rebuild"):
        build_index(shop.index, [shop.documents], section, **options)
    assert shop.texts("退货")
    assert build_index(shop.index, [shop.documents], section, rebuild=True, **options).added == 3


def test_rebuild_leaves_one_store(shop):
    shop.build(rebuild=True)
    assert sorted(path.name for path in shop.index.glob("store-*")) == ["store-2"]
    assert collection_ids(shop, "store-2") == catalog_ids(shop, "store-2")


def test_failed_rebuild_leaves_the_old_index(shop):
    def fail(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.build(rebuild=True, progress=fail)
    assert len(shop.texts("退货")) > 0
    shop.build()
    assert sorted(path.name for path in shop.index.glob("store-*")) == ["store-1"]


def test_second_writer_fails_loudly(shop):
    with FileLock(shop.index / ".lock"), pytest.raises(KnowledgeError, match="another process is writing"):
        shop.build()


def test_interrupted_run_goes_on_where_it_stopped(shelf, monkeypatch):
    monkeypatch.setattr("dialog.knowledge.update._BATCH_CHUNKS", 1)
    for number in range(6):
        shelf.write(f"{number}.md", f"Document number {number}.\n")

    def stop(progress):
        if progress.files_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.build(progress=stop)
    assert changes(shelf.build()) == (3, 0, 0, 3)
    assert collection_ids(shelf) == catalog_ids(shelf)


def test_folder_with_other_files_is_refused(shelf):
    shelf.write("a.md", "text\n")
    shelf.index.mkdir()
    (shelf.index / "thesis.docx").write_text("x")
    with pytest.raises(KnowledgeError, match=r"holds other files \('thesis.docx'\)"):
        shelf.build()
    with pytest.raises(KnowledgeError, match=r"holds other files \('thesis.docx'\)"):
        shelf.build(rebuild=True)
    assert (shelf.index / "thesis.docx").read_text() == "x"


def test_index_path_that_is_a_file_is_refused(shelf):
    shelf.index.write_text("x")
    with pytest.raises(KnowledgeError, match="cannot write to"):
        shelf.build()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "x"}', '{"format": 1}', '{"format": 2}'])
def test_damaged_manifest_names_the_way_out(shop, content):
    (shop.index / "manifest.json").write_text(content)
    for act in (shop.build, shop.open):
        with pytest.raises(KnowledgeError, match="--rebuild"):
            act()
    assert shop.build(rebuild=True).added == 3


def test_newer_format_is_refused(shop):
    manifest = json.loads((shop.index / "manifest.json").read_text())
    (shop.index / "manifest.json").write_text(json.dumps({**manifest, "format": 99, "new": 1}))
    with pytest.raises(KnowledgeError, match="has format 99"):
        shop.open()


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_damaged_catalog_names_the_way_out(shop, content):
    (shop.index / "store-1" / "knowledge.db").write_bytes(content)
    for act in (shop.build, lambda: shop.texts("退货")):
        with pytest.raises(KnowledgeError, match="--rebuild"):
            act()
    assert shop.build(rebuild=True).added == 3


def test_damaged_collection_is_made_again_without_embedding(shop):
    for path in (shop.index / "store-1" / "chroma").rglob("*"):
        if path.is_file():
            path.write_bytes(b"garbage" * 500)
    report = shop.build()
    assert report.num_embedded == 0
    assert collection_ids(shop) == catalog_ids(shop)


def test_progress_is_told_after_every_file(shelf):
    shelf.write("a.md", "text\n")
    shelf.write("b.md", "")
    seen = []
    shelf.build(progress=seen.append)
    assert [(step.files_done, step.files_total, step.source) for step in seen] == [
        (1, 2, "a.md"),
        (2, 2, "b.md"),
    ]


def test_ten_churns_leave_every_record_findable(shelf):
    def write(round_number):
        for number in range(20):
            shelf.write(
                f"{number}.md", f"Record {number} of round {round_number}: word{number}x{round_number}.\n" * 9
            )

    write(0)
    shelf.build()
    for round_number in range(1, 11):
        write(round_number)
        report = shelf.build()
        assert (report.changed, report.num_chunks) == (20, 20)
    assert collection_ids(shelf) == catalog_ids(shelf)
    for number in range(20):
        with shelf.open() as knowledge:
            passages = knowledge.search(f"word{number}x10", top_k=20).passages
        (own,) = [passage for passage in passages if f"word{number}x10" in passage.text]
        assert own.legs.lexical == 1
    catalog = Catalog(shelf.index / "store-1" / "knowledge.db", read_only=True)
    assert catalog.document_frequencies(["word3x9"]) == {}


def test_space_of_what_has_gone_is_given_back(shelf):
    words = " ".join(f"word{number}" for number in range(20_000))
    paper = shelf.write("long.md", words)
    shelf.write("short.md", "Parking is free.\n")
    shelf.build()
    file = shelf.index / "store-1" / "knowledge.db"
    full = file.stat().st_size
    paper.unlink()
    shelf.build(prune=True)
    assert file.stat().st_size < full / 4


def test_index_inside_its_sources_is_not_read(shelf):
    shelf.write("a.md", "text\n")
    shelf.index = shelf.documents / "index"
    assert shelf.build().skipped == ()
    report = shelf.build()
    assert (changes(report), report.skipped) == ((0, 0, 0, 1), ())


def test_of_500_documents_only_the_edited_ones_chunk_is_embedded(shelf):
    entries = [{"id": str(i), "text": f"Note {i}\n\nThe fee is {i} euro."} for i in range(500)]
    write = "\n".join(json.dumps(entry) for entry in entries)
    shelf.write("notes.jsonl", write)
    assert shelf.build().added == 500
    shelf.write("notes.jsonl", write.replace("The fee is 77 euro", "The fee is 78 cents"))
    report = shelf.build()
    assert (changes(report), report.num_embedded) == ((0, 1, 0, 499), 1)


def test_chunk_keeps_the_language_of_its_own_text(shelf):
    shelf.write(
        "mixed.md", "# 退货\n\n签收后七天内可以退货。\n\n# Fees\n\n" + "A parcel costs five euro. " * 40
    )
    shelf.build()
    with shelf.open() as knowledge:
        assert knowledge.search("七天内退货", top_k=1).passages[0].language == "zh"
        assert knowledge.search("what does a parcel cost", top_k=1).passages[0].language == "en"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_file_is_found_whatever_its_encoding(shelf, encoding):
    shelf.write("退货.txt", "签收后七天内可以无理由退货，运费由买家承担。\n".encode(encoding))
    shelf.build()
    assert shelf.texts("七天内退货") == ["签收后七天内可以无理由退货，运费由买家承担。"]
