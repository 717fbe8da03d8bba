"""PDF to pieces: reading order, paragraphs made whole, headings, tables, both languages."""

import pytest

from dialog.knowledge.convert.pdf import convert
from dialog.knowledge.convert.pieces import Unreadable
from tests.knowledge import pdfs

RETURN = (
    "Customers may return unused goods within thirty days of delivery, provided that the original "
    "packaging is undamaged and the receipt of the purchase is enclosed with the parcel."
)
REFUND = (
    "Refunds are credited to the account that was charged, usually within five working days after "
    "the parcel has arrived at our warehouse and was checked there by the service team."
)
CARDS = "Gift cards, perishable goods and articles made to measure are excluded from every kind of return."
退货 = (
    "自签收之日起七天内，商品完好且不影响二次销售的，客户可以申请无理由退货，"
    "运费由买家承担，定制商品除外，请保留包装。"
)
退款 = (
    "退款将在仓库收到包裹后的五个工作日内退回原支付账户，"
    "具体到账时间以银行处理为准，节假日会相应顺延，敬请谅解。"
)


def pieces(data):
    return [(piece.kind, piece.text or piece.rows) for piece in convert(data).pieces]


def texts(data):
    return [piece.text for piece in convert(data).pieces if piece.kind in ("text", "list")]


def test_wrapped_lines_become_paragraphs_again():
    assert texts(pdfs.typeset([("p", RETURN), ("p", REFUND)])) == [RETURN, REFUND]


def test_wrapped_chinese_lines_are_joined_without_spaces():
    assert texts(pdfs.typeset([("p", 退货), ("p", 退款)], han=True)) == [退货, 退款]


def test_columns_are_read_one_after_the_other():
    story = [("p", text) for text in (RETURN, REFUND, CARDS) * 8]
    assert "".join(texts(pdfs.typeset(story, columns=2))).replace(" ", "") == "".join(
        text.replace(" ", "") for _, text in story
    )


def test_chinese_columns_are_read_one_after_the_other():
    story = [("p", text) for text in (退货, 退款) * 20]
    assert "".join(texts(pdfs.typeset(story, columns=2, han=True))) == "".join(text for _, text in story)


@pytest.mark.parametrize(
    ("han", "story"),
    [
        (False, [("h1", "Terms"), ("h2", "Returns"), ("p", RETURN), ("h2", "Refunds"), ("p", REFUND)]),
        (True, [("h1", "条款"), ("h2", "退货"), ("p", 退货), ("h2", "退款"), ("p", 退款)]),
    ],
)
def test_larger_lines_are_headings_by_rank(han, story):
    found = [piece for piece in convert(pdfs.typeset(story, han=han)).pieces if piece.kind == "heading"]
    assert [(piece.level, piece.text) for piece in found] == [
        (int(kind[1]), text) for kind, text in story if kind != "p"
    ]


def test_bold_line_of_body_size_is_a_heading():
    story = [("p", "<b>Exceptions</b>"), ("p", CARDS), ("p", RETURN)]
    assert pieces(pdfs.typeset(story)) == [("heading", "Exceptions"), ("text", CARDS), ("text", RETURN)]


def test_document_that_is_bold_throughout_has_no_headings():
    story = [("p", "<b>Free returns</b>"), ("p", "<b>No questions</b>")]
    assert {kind for kind, _ in pieces(pdfs.typeset(story))} == {"text"}


def test_running_header_footer_and_page_numbers_are_left_out():
    story = [("p", RETURN), ("break", None), ("p", REFUND), ("break", None), ("p", CARDS)]
    data = pdfs.typeset(story, header="Example Shop - Terms", footer="Page {page} of 3")
    assert texts(data) == [RETURN, REFUND, CARDS]


def test_chinese_page_number_of_a_single_page_is_left_out():
    assert texts(pdfs.typeset([("p", 退货)], footer="第 {page} 页", han=True)) == [退货]


def test_repeated_sentence_of_the_text_is_no_running_header():
    story = [("p", CARDS), ("p", RETURN), ("break", None), ("p", CARDS), ("p", REFUND)]
    assert texts(pdfs.typeset(story)) == [CARDS, RETURN, CARDS, REFUND]


def test_paragraph_that_runs_on_over_the_page_is_one():
    data = pdfs.typeset([("space", 650), ("p", f"{RETURN} {REFUND} {CARDS}")], footer="{page}")
    (piece,) = convert(data).pieces
    assert (piece.text, piece.page, piece.last_page) == (f"{RETURN} {REFUND} {CARDS}", 1, 2)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["All parcels are deliv-", "ered by our carrier."], "All parcels are delivered by our carrier."),
        (
            ["A long-term contract is a long-", "term promise."],
            "A long-term contract is a long-term promise.",
        ),
        (["It concerns the years 2019-", "2024 and so on."], "It concerns the years 2019-2024 and so on."),
    ],
)
def test_divided_word_is_joined_and_a_real_hyphen_kept(lines, text):
    moves = " 0 -14 Td ".join(f"({line}) Tj" for line in lines)
    assert texts(pdfs.minimal(f"BT /F1 12 Tf 60 700 Td {moves} ET".encode())) == [text]


def test_columns_that_hold_tables_are_still_columns():
    rows = [["Item", "Fee"], ["A parcel within the country, wrapped by us", "5"], ["Letter", "1"]]
    story = [("p", RETURN), ("ruled", rows), ("p", REFUND), ("ruled", rows), ("p", CARDS)] * 3
    found = pieces(pdfs.typeset(story, columns=2))
    assert [content for kind, content in found if kind == "table"] == [rows] * 6
    assert "".join(c for k, c in found if k == "text").replace(" ", "") == "".join(
        c for k, c in story if k == "p"
    ).replace(" ", "")


@pytest.mark.parametrize("kind", ["table", "ruled"])
def test_table_keeps_its_cells(kind):
    rows = [["Product", "Price", "Warranty"], ["Tent", "99.00 EUR", "yes"], ["Stove", "45.00 EUR", "yes"]]
    assert pieces(pdfs.typeset([("p", RETURN), (kind, rows), ("p", REFUND)])) == [
        ("text", RETURN),
        ("table", rows),
        ("text", REFUND),
    ]


@pytest.mark.parametrize("kind", ["table", "ruled"])
def test_chinese_table_keeps_cells_that_repeat(kind):
    rows = [
        ["产品", "可否退货", "保修"],
        ["帐篷", "是", "一年"],
        ["炉子", "是", "一年"],
        ["睡袋", "是", "一年"],
    ]
    assert pieces(pdfs.typeset([("p", 退货), (kind, rows)], han=True))[1] == ("table", rows)


def test_wrapped_cell_stays_one_cell():
    rows = [["Product", "Remark"], ["Tent", "Comes with\na bag"], ["Stove", "Gas not included"]]
    assert pieces(pdfs.typeset([("ruled", rows)])) == [
        ("table", [["Product", "Remark"], ["Tent", "Comes with a bag"], ["Stove", "Gas not included"]])
    ]


def test_list_items_stay_apart():
    story = [
        ("p", "You need:"),
        ("p", "• the receipt"),
        ("p", "• the parcel"),
        ("p", "1. Pack it."),
        ("p", "2. Go."),
    ]
    found = [piece.text for piece in convert(pdfs.typeset(story)).pieces if piece.kind == "list"]
    assert found == ["- the receipt", "- the parcel", "1. Pack it.", "2. Go."]


def test_glyph_numbers_are_read_by_the_map_in_the_file():
    assert texts(pdfs.glyph_coded("七天内可以退货。")) == ["七天内可以退货。"]


def test_glyph_numbers_without_a_map_are_no_text():
    with pytest.raises(Unreadable, match="fonts that do not say which characters they show"):
        convert(pdfs.glyph_coded("七天内可以退货。", with_meaning=False))


def test_character_printed_twice_to_look_bold_is_read_once():
    shown = b"(Free) Tj"
    data = pdfs.minimal(b"BT /F1 12 Tf 60 700 Td " + shown + b" 0.3 0 Td " + shown + b" ET")
    assert texts(data) == ["Free"]


def test_watermark_across_the_page_is_left_out():
    data = pdfs.minimal(
        b"BT /F1 12 Tf 60 700 Td (Returns are free.) Tj ET "
        b"BT /F1 60 Tf 0.7 0.7 -0.7 0.7 100 300 Tm (DRAFT) Tj ET"
    )
    assert texts(data) == ["Returns are free."]


def test_title_of_the_file_is_taken_unless_it_is_a_file_name():
    assert convert(pdfs.typeset([("p", 退货)], han=True, title="退货条款")).title == "退货条款"
    assert convert(pdfs.typeset([("p", RETURN)], title="Microsoft Word - terms.docx")).title == ""


def test_scanned_document_is_refused_and_told_about_recognition():
    with pytest.raises(Unreadable, match=r"holds no text \(scanned or blank\); it needs text recognition"):
        convert(pdfs.scanned(2))


def test_scanned_pages_among_others_are_listed():
    page = pdfs.typeset([("p", RETURN)])
    converted = convert(pdfs.joined(page, pdfs.scanned(2), page, pdfs.scanned()))
    assert converted.notes == ["pages 2-3, 5: no text (scanned or blank)"]
    assert [piece.page for piece in converted.pieces] == [1, 4]


def test_encrypted_file_is_refused():
    with pytest.raises(Unreadable, match="is encrypted; save it without a password"):
        convert(pdfs.encrypted(pdfs.typeset([("p", RETURN)]), "secret"))


def test_file_that_only_its_owner_may_change_is_read():
    assert texts(pdfs.encrypted(pdfs.typeset([("p", RETURN)]), "", owner="secret")) == [RETURN]


def test_pages_beyond_the_limit_are_said_to_be_left_out(monkeypatch):
    monkeypatch.setattr("dialog.knowledge.convert.pdf.MAX_PAGES", 1)
    converted = convert(pdfs.typeset([("p", RETURN), ("break", None), ("p", REFUND)]))
    assert [piece.text for piece in converted.pieces] == [RETURN]
    assert converted.notes == ["only the first 1 pages are read"]
