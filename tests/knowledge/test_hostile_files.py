"""Files made to do harm, or merely broken: a reason each, quickly, and nothing else."""

import io
import zipfile

import pytest

from dialog.knowledge.convert import CONVERTER_VERSION, converter, package
from dialog.knowledge.convert.pieces import Unreadable
from tests.knowledge import office, pdfs

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


def reason(name, data):
    with pytest.raises(Unreadable) as problem:
        converter(name)(data)
    return str(problem.value)


@pytest.mark.parametrize(("name", "suffix"), [("docx", ".docx"), ("xlsx", ".xlsx")])
def test_encrypted_and_old_office_files_are_told_apart(name, suffix):
    assert (
        reason(name, OLE + "EncryptedPackage".encode("utf-16-le"))
        == "is encrypted; save it without a password"
    )
    assert reason(name, OLE + b"\0" * 600) == f"is in the old Office format; save it as {suffix}"


@pytest.mark.parametrize("name", ["docx", "xlsx"])
def test_archive_cut_short_is_damaged(name):
    assert "or damaged" in reason(name, office.word([("p", "x")])[:500])


def test_office_file_of_another_kind_is_named():
    assert "is not a Word document" in reason("docx", office.workbook({"S": [["x"]]}))
    assert "is not an Excel workbook" in reason("xlsx", office.word([("p", "x")]))
    assert "is not a Word document" in reason("docx", office.archive({"readme.txt": "x"}))


def test_bomb_is_refused_by_its_ratio():
    bomb = office.word_xml("<w:p/>", {"bomb.xml": "0" * 20_000_000})
    assert len(bomb) < 50_000
    assert "unpacks to more than 300 times its size" in reason("docx", bomb)


def test_bomb_is_refused_by_its_size(monkeypatch):
    monkeypatch.setattr(package, "MAX_UNPACKED_BYTES", 1000)
    assert "at most 1000 are read" in reason("docx", office.word([("p", "x")]))


def test_archive_that_lies_about_its_size_unpacks_no_further():
    data = bytearray(office.word_xml("<w:p><w:r><w:t>" + "x" * 2_000_000 + "</w:t></w:r></w:p>"))
    info = zipfile.ZipFile(io.BytesIO(data)).getinfo("word/document.xml")
    directory = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    data[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")
    assert info.file_size > 2_000_000
    assert "is damaged" in reason("docx", bytes(data))


@pytest.mark.parametrize(
    "declaration",
    [
        ENTITIES,
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://x/y.dtd">',
    ],
)
def test_document_types_are_refused_in_word_files(declaration):
    files = {"word/document.xml": f"{declaration}<x>&a;</x>"}
    assert "declares a document type" in reason("docx", office.archive(files))


def test_document_types_are_refused_in_any_encoding():
    files = {"word/document.xml": f'<?xml version="1.0" encoding="utf-16"?>{ENTITIES}<x/>'.encode("utf-16")}
    assert "declares a document type" in reason("docx", office.archive(files))


def test_document_types_are_refused_in_any_part_of_a_workbook():
    assert "declares a document type" in reason(
        "xlsx", office.archive({"xl/sharedStrings.xml": f"{ENTITIES}<x/>"})
    )


def test_deep_nesting_is_refused():
    assert reason("docx", office.word_xml("<w:sdt>" * 5000 + "</w:sdt>" * 5000)) == "is nested too deeply"


def test_path_out_of_the_archive_leads_nowhere():
    relation = '<Relationship Id="a" Type="x/officeDocument" Target="../../../etc/passwd"/>'
    relations = f"<Relationships>{relation}</Relationships>"
    assert "it has no '../../../etc/passwd'" in reason("docx", office.archive({"_rels/.rels": relations}))


@pytest.mark.parametrize("data", [b"%PDF-1.4\n", b"%PDF-1.4 garbage" * 50, b"not a pdf at all" * 50])
def test_damaged_pdf_has_a_reason(data):
    assert "damaged" in reason("pdf", data)


def test_pdf_whose_table_of_objects_is_lost_is_read_all_the_same():
    data = pdfs.minimal(b"BT /F1 12 Tf 60 700 Td (Returns are free.) Tj ET")
    cut = data[: data.index(b"xref")] + b"trailer\n<< /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"
    assert converter("pdf")(cut).pieces[0].text == "Returns are free."


def test_page_with_too_many_characters_is_refused_by_number(monkeypatch):
    monkeypatch.setattr("dialog.knowledge.convert.pdf.MAX_PAGE_GLYPHS", 10)
    assert "more than 10 characters on a page" in reason("pdf", pdfs.typeset([("p", "Returns are free.")]))


def test_converter_version_is_part_of_what_makes_a_document_new():
    from dialog.knowledge.readers.converted import content_hash

    assert CONVERTER_VERSION
    assert content_hash(b"a") != content_hash(b"b")
