"""Word and Excel files to pieces: structure kept, what nobody sees left out."""

import datetime
import io

import pytest
from openpyxl import load_workbook

from dialog.knowledge.convert import docx, xlsx
from dialog.knowledge.convert.pieces import Unreadable
from tests.knowledge import office


def word_pieces(data):
    return [
        (piece.kind, piece.level or piece.rows or piece.text, *([piece.text] if piece.level else []))
        for piece in docx.convert(data).pieces
    ]


def sheets(data):
    return {piece.text: piece.rows for piece in xlsx.convert(data).pieces if piece.kind == "sheet"}


def edited(data, change):
    book = load_workbook(io.BytesIO(data))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "names", [("Returns", "Exceptions", "Within 30 days."), ("退货", "例外", "七天内。")]
)
def test_word_headings_lists_and_tables_come_in_order(names):
    one, two, text = names
    story = [
        ("h1", one),
        ("p", text),
        ("h2", two),
        ("bullet", "a"),
        ("bullet", "b"),
        ("number", "c"),
        ("number", "d"),
        ("table", [["Item", "Fee"], ["Parcel", "5"]]),
    ]
    assert word_pieces(office.word(story)) == [
        ("heading", 1, one),
        ("text", text),
        ("heading", 2, two),
        ("list", "- a"),
        ("list", "- b"),
        ("list", "1. c"),
        ("list", "2. d"),
        ("table", [["Item", "Fee"], ["Parcel", "5"]]),
    ]


def test_word_title_is_the_documents_title():
    assert docx.convert(office.word([("title", "退货手册"), ("p", "text")])).title == "退货手册"


def test_bold_lines_are_headings_where_no_style_says_so():
    story = [
        ("bold", "退货条件"),
        ("p", "七天内。"),
        ("p", "包装完好。"),
        ("bold", "运费"),
        ("p", "买家承担。"),
    ]
    assert word_pieces(office.word(story))[0] == ("heading", 2, "退货条件")


def test_style_of_another_program_counts_by_its_outline_level():
    style = (
        f'<w:styles xmlns:w="{office.WORD}"><w:style w:styleId="x"><w:name w:val="Kapitel"/><w:pPr>'
        '<w:outlineLvl w:val="1"/></w:pPr></w:style></w:styles>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
        'Id="s" Type="http://x/styles" Target="styles.xml"/></Relationships>'
    )
    body = '<w:p><w:pPr><w:pStyle w:val="x"/></w:pPr><w:r><w:t>Fees</w:t></w:r></w:p>'
    data = office.word_xml(body, {"styles.xml": style, "_rels/document.xml.rels": relations})
    assert word_pieces(data) == [("heading", 2, "Fees")]


@pytest.mark.parametrize(
    "run",
    [
        "<w:del><w:r><w:delText>old</w:delText></w:r></w:del>",
        "<w:moveFrom><w:r><w:t>old</w:t></w:r></w:moveFrom>",
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>old</w:t></w:r>",
        "<w:r><w:instrText>old</w:instrText></w:r>",
    ],
)
def test_what_word_does_not_show_is_left_out(run):
    body = f"<w:p><w:r><w:t>We </w:t></w:r>{run}<w:ins><w:r><w:t>open at ten.</w:t></w:r></w:ins></w:p>"
    assert word_pieces(office.word_xml(body)) == [("text", "We open at ten.")]


def test_text_box_is_read_once_and_after_its_paragraph():
    box = "<w:txbxContent><w:p><w:r><w:t>Call us.</w:t></w:r></w:p></w:txbxContent>"
    both = (
        f'<mc:AlternateContent xmlns:mc="m"><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>'
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent>"
    )
    data = office.word_xml(f"<w:p><w:r>{both}<w:t>Questions?</w:t></w:r></w:p>")
    assert word_pieces(data) == [("text", "Questions?"), ("text", "Call us.")]


def test_merged_cells_leave_every_row_readable():
    def cell(text, properties=""):
        return f"<w:tc><w:tcPr>{properties}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    rows = [
        cell("Product") + cell("Fee"),
        cell("Tent", '<w:vMerge w:val="restart"/>') + cell("5"),
        cell("", "<w:vMerge/>") + cell("6"),
        cell("all free", '<w:gridSpan w:val="2"/>'),
    ]
    table = "".join(f"<w:tr>{row}</w:tr>" for row in rows)
    assert word_pieces(office.word_xml(f"<w:tbl>{table}</w:tbl>")) == [
        ("table", [["Product", "Fee"], ["Tent", "5"], ["Tent", "6"], ["all free", ""]])
    ]


def test_every_visible_sheet_is_read_and_a_hidden_one_named():
    def hide(book):
        book["Old"].sheet_state = "hidden"

    data = edited(
        office.workbook({"FAQ": [["问题", "答案"], ["a", "b"]], "Fees": [["x", "y"]], "Old": [["z"]]}), hide
    )
    assert sheets(data) == {"FAQ": [["问题", "答案"], ["a", "b"]], "Fees": [["x", "y"]]}
    assert xlsx.convert(data).notes == ["sheet 'Old' is hidden and was not read"]


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (0.15, "0%", "15%"),
        (0.075, "0.0%", "7.5%"),
        (199, '"¥"#,##0.00', "¥199.00"),
        (99.5, "General", "99.5"),
        (0.1 + 0.2, "General", "0.3"),
        (20250102345678, "General", "20250102345678"),
        (datetime.date(2025, 1, 2), "yyyy-mm-dd", "2025-01-02"),
        (datetime.datetime(2025, 1, 2, 9, 30), "yyyy-mm-dd hh:mm", "2025-01-02 09:30:00"),
        (True, "General", "TRUE"),
        ("two\n lines ", "General", "two\nlines"),
    ],
)
def test_cell_is_text_as_the_sheet_shows_it(value, number_format, shown):
    def style(book):
        book["S"]["A1"].number_format = number_format

    assert sheets(edited(office.workbook({"S": [[value]]}), style)) == {"S": [[shown]]}


def test_formula_counts_by_its_saved_value_and_never_by_its_text():
    with pytest.raises(Unreadable, match="holds no cells with text"):
        xlsx.convert(office.workbook({"S": [["=1+1"]]}))


def test_sheet_with_a_cell_in_its_last_corner_is_read_quickly():
    def corner(book):
        book["S"]["XFD1048576"] = "far"

    data = edited(office.workbook({"S": [["near"]]}), corner)
    assert sheets(data) == {"S": [["near"]]}
    assert xlsx.convert(data).notes == ["sheet 'S' is read up to row 1; text below 10001 empty rows is not"]


def test_rows_beyond_the_limit_are_said_to_be_left_out(monkeypatch):
    monkeypatch.setattr(xlsx, "MAX_ROWS", 2)
    data = office.workbook({"S": [["a"], ["b"], ["c"]], "T": [["d"]]})
    assert sheets(data) == {"S": [["a"], ["b"]]}
    assert xlsx.convert(data).notes == [
        "sheet 'S' is read up to row 2; a workbook is read up to 2 rows",
        "sheet 'T' is read up to row 0; a workbook is read up to 2 rows",
    ]
