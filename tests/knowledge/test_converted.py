"""PDF, Word and Excel files through the bounded process into an index, and out again as passages."""

import sys

import pytest

from dialog.knowledge.chunk import chunk_document
from dialog.knowledge.convert.pieces import Converted, Piece, heading
from dialog.knowledge.documents import RawFile, read_sources
from dialog.knowledge.passages import passage_of
from dialog.knowledge.readers import converted
from dialog.knowledge.readers.assemble import assembled
from dialog.knowledge.records import Loaded, Skip
from dialog.knowledge.rows import ChunkRow
from tests.knowledge import office, pdfs

PRICES = [["Product", "Price"], ["Tent", 99]]
ZH_FAQ = [
    ["常见问题"],
    ["问题", "答案", "产品"],
    ["怎么退货", "七天内寄回", "帐篷"],
    ["保修多久", None, None],
]


def terms():
    """Two pages of text and one that was scanned."""
    story = [("h1", "Terms"), ("p", "Unused goods can be returned."), ("break", None)]
    story += [("h1", "Fees"), ("p", "A parcel within the country costs five euro.")]
    return pdfs.joined(pdfs.typeset(story), pdfs.scanned())


@pytest.fixture
def with_terms(shelf):
    """The terms, indexed."""
    shelf.write("terms.pdf", terms())
    shelf.build()
    return shelf


@pytest.fixture
def with_faq(shelf):
    """An FAQ sheet that misses an answer, and a sheet of prices, indexed."""
    shelf.write("faq.xlsx", office.workbook({"问答": ZH_FAQ, "Prices": PRICES}))
    shelf.build()
    return shelf


def changes(report):
    return (report.added, report.changed, report.unchanged)


def blocks(*pieces):
    text, found, _ = assembled(Converted(list(pieces)))
    return [(block.kind, block.path, text[block.start : block.end], dict(block.metadata)) for block in found]


def test_papers_are_found_with_page_and_sheet(with_faq):
    with_faq.write("terms.pdf", terms())
    with_faq.write("handbook.docx", office.word([("h1", "退款"), ("p", "退款在五个工作日内到账。")]))
    assert changes(with_faq.build()) == (2, 0, 1)
    with with_faq.open() as knowledge:
        assert knowledge.search("a parcel within the country", top_k=1).passages[0].source == "terms.pdf"
        assert knowledge.search("退款到账", top_k=1).passages[0].source == "handbook.docx"
        assert knowledge.search("怎么退货", top_k=1).passages[0].answer == "七天内寄回"
        (fee,) = knowledge.search("parcel", where={"page": 2}, top_k=5).passages
        assert "five euro" in fee.text
        (price,) = knowledge.search("tent", where={"sheet": "Prices"}, top_k=5).passages
        assert price.text == "Product: Tent; Price: 99"
        assert (fee.page, fee.last_page, fee.sheet) == (1, 2, None)
        assert (price.page, price.sheet) == (None, "Prices")
        assert knowledge.search("怎么退货", top_k=1).passages[0].sheet == "问答"
        assert knowledge.search("退款到账", top_k=1).passages[0].page is None


@pytest.mark.parametrize(
    ("metadata", "pages"),
    [
        ({"page": [3, 4, 5]}, (3, 5)),
        ({"page": 7}, (7, 7)),
        ({}, (None, None)),
        ({"page": "home", "sheet": 4}, (None, None)),
        ({"page": [True, 0, None]}, (None, None)),
    ],
)
def test_only_numbers_are_pages(metadata, pages):
    row = ChunkRow(1, "p", "d", "s", "", "t", "en", 0, 1, None, None, metadata)
    passage = passage_of(row, score=1.0, legs=[])
    assert ((passage.page, passage.last_page), passage.sheet) == (pages, None)


def test_unchanged_paper_is_not_converted_again_and_what_it_lacks_is_said_again(with_terms, monkeypatch):
    monkeypatch.setattr(converted, "_convert", None)
    report = with_terms.build()
    assert changes(report) == (0, 0, 1)
    assert report.skipped == (
        Skip(source="terms.pdf", reason="page 3: no text (scanned or blank)", in_part=True),
    )


def test_only_the_changed_part_of_a_paper_is_embedded(with_faq):
    rows = [*ZH_FAQ[:3], ["保修多久", "一年", None]]
    with_faq.write("faq.xlsx", office.workbook({"问答": rows, "Prices": PRICES}))
    report = with_faq.build()
    assert (changes(report), report.num_embedded) == ((0, 1, 0), 1)


def test_paper_that_became_unreadable_is_forgotten(with_terms):
    with_terms.write("terms.pdf", pdfs.scanned())
    assert with_terms.build().removed == 1
    assert with_terms.texts("parcel five euro") == []


def test_paper_that_took_too_long_is_listed_and_what_is_known_of_it_stays(with_terms, monkeypatch):
    with_terms.write("terms.pdf", b"%PDF-1.7 another")
    monkeypatch.setattr(converted, "MAX_SECONDS", 0.001)
    report = with_terms.build()
    assert report.removed == 0
    assert report.skipped == (
        Skip(source="terms.pdf", reason="took longer than 0.001 s to read", unread=True),
    )


@pytest.mark.slow
def test_endless_page_is_ended_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(converted, "MAX_SECONDS", 1)
    (tmp_path / "busy.pdf").write_bytes(pdfs.minimal(b"1 0 0 1 0 0 cm " * 20_000_000, packed=True))
    (item,) = read_sources([tmp_path])
    assert isinstance(item, Skip)
    assert "too much time" in item.reason or "took longer" in item.reason


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory")
def test_memory_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(converted, "MAX_MEMORY_BYTES", 200 * 1024 * 1024)
    (tmp_path / "big.pdf").write_bytes(pdfs.minimal(b" " * 400_000_000, packed=True))
    (item,) = read_sources([tmp_path])
    assert isinstance(item, Skip)
    assert "memory" in item.reason or "damaged" in item.reason


def test_every_format_is_read_through_the_process(tmp_path):
    (tmp_path / "a.docx").write_bytes(office.word([("p", "text")]))
    (tmp_path / "b.pdf").write_bytes(pdfs.typeset([("p", "text")]))
    (tmp_path / "c.xlsx").write_bytes(office.workbook({"S": [["text"]]}))
    (tmp_path / "d.docx").write_bytes(b"PK\x03\x04 broken")
    found = list(read_sources([tmp_path]))
    assert [item.document.source for item in found if isinstance(item, Loaded)] == [
        "a.docx",
        "b.pdf",
        "c.xlsx",
    ]
    assert found[-1] == Skip(
        source="d.docx", reason="is not a Word document, or damaged: File is not a zip file"
    )


def test_spans_index_the_converted_text():
    file = RawFile(source="a.docx", key="/kb/a.docx", data=office.word([("h1", "退货"), ("p", "七天内。")]))
    (loaded,) = converted.reader("docx")(file)
    (chunk,) = chunk_document(loaded, limit_words=50)
    assert loaded.document.text[chunk.start : chunk.end] == chunk.text == "七天内。"
    assert chunk.path == ("a", "退货")


@pytest.mark.parametrize(("text", "name"), [("Returns are free.", "Page 2"), ("可以退货。", "第 2 页")])
def test_page_is_the_heading_where_there_is_none(text, name):
    assert blocks(Piece("text", text, page=2, last_page=2)) == [("text", (name,), text, {"page": 2})]


def test_heading_with_nothing_below_is_kept_once():
    assert blocks(heading("Open", level=1), heading("Sundays", level=2), heading("Fees", level=1)) == [
        ("text", ("Open",), "## Sundays", {}),
        ("text", (), "# Fees", {}),
    ]


def test_question_and_answer_table_of_a_document_is_an_faq():
    rows = [["Question", "Answer", "Updated"], ["How?", "So.", "2025"]]
    assert blocks(Piece("table", rows=rows, page=3)) == [
        ("faq", ("How?",), "How?\nSo.", {"updated": "2025", "page": 3})
    ]


def test_table_is_markdown_with_its_bars_escaped():
    rows = [["Size", "Fee"], ["S | M", "5\neuro"], ["L"]]
    ((kind, _, text, _),) = blocks(Piece("table", rows=rows))
    assert (kind, text) == ("table", "| Size | Fee |\n| --- | --- |\n| S \\| M | 5 euro |\n| L |  |")


def test_sheet_title_above_the_header_is_text_and_rows_name_their_columns():
    rows = [["Prices 2025"], ["Product", "Price"], ["Tent", "99"], ["Stove", "", "new"]]
    assert [text for _, _, text, _ in blocks(Piece("sheet", "S", rows=rows, numbers=[1, 2, 3, 4]))] == [
        "Prices 2025",
        "Product: Tent; Price: 99",
        "Product: Stove; new",
    ]
