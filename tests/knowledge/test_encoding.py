"""Bytes to text, also where the file is too short for statistics."""

import pytest

from dialog.knowledge.encoding import NotText, decode

CHINESE = "退货政策：签收后七天内可以退货。\n保修一年。\n"
ENGLISH = "Returns are free.\nWarranty: one year.\n"


@pytest.mark.parametrize("text", [CHINESE, ENGLISH, "iPhone 15 保修\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings(text, encoding):
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("text", ["退货", "保修期多久", CHINESE, "A型号 99元 包邮", "你好"])
@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "gb2312"])
def test_chinese_code_pages_however_short(text, encoding):
    assert decode(text.encode(encoding)).text == text


def test_western_code_page():
    text = "Die Gebühr beträgt fünf Euro. Rückgabe möglich für Stammkunden, natürlich auch später.\n" * 4
    assert decode(text.encode("cp1252")).text == text


def test_big5_is_not_taken_for_gbk():
    text = "退貨政策：收到商品後七天內可以申請退貨，運費由買家負擔，請保留完整包裝與發票。\n" * 5
    assert decode(text.encode("big5")).text == text


def test_declared_encoding_is_tried_first():
    assert decode("退货".encode("gbk"), declared="gbk").encoding == "gbk"


def test_wrongly_declared_encoding_is_passed_over():
    assert decode(CHINESE.encode(), declared="ascii").text == CHINESE
    assert decode(CHINESE.encode(), declared="no-such-encoding").text == CHINESE


def test_line_ends_become_newlines():
    assert decode(b"a\r\nb\rc\n").text == "a\nb\nc\n"


def test_empty_is_empty():
    assert decode(b"").text == ""


@pytest.mark.parametrize("data", [b"\0\1\2\3" * 100, b"\xff\xfe\x00", b"%PDF-1.7", b"\x1f\x8b\x08"])
def test_binary_is_refused(data):
    with pytest.raises(NotText):
        decode(data)
