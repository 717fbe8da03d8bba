"""Terms of both languages and their mixtures; lexical search finds by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialog.knowledge.segment import query_terms, terms
from dialog.stemmer import stem


def test_chinese_gives_characters_and_pairs():
    assert terms("保修期") == ["保", "修", "期", "保修", "修期"]


@pytest.mark.parametrize(
    "text", ["iPhone 15 保修", "iPhone15保修", "ｉＰｈｏｎｅ　１５　保修", "IPHONE-15 保修"]
)
def test_mixed_and_full_width_forms_meet(text):
    assert {"iphon", "15", "保修"} <= set(terms(text))


@pytest.mark.parametrize("sku", ["TX-200B", "tx200b", "TX200B", "tx-200b", "ＴＸ－２００Ｂ"])
def test_product_codes_meet_whatever_their_form(sku):
    assert "tx200b" in terms(sku)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("returns", "return"),
        ("returned", "return"),
        ("policies", "policy"),
        ("shipping", "ship"),
        ("cancelled", "cancelling"),
        ("charges", "charge"),
        ("invoices", "invoice"),
        ("café", "cafe"),
    ],
)
def test_english_forms_meet(one, other):
    assert terms(one) == terms(other)


@pytest.mark.parametrize(("one", "other"), [("universe", "university"), ("bed", "be"), ("sing", "s")])
def test_different_words_stay_apart(one, other):
    assert stem(one) != stem(other)


def test_question_words_are_not_asked_for():
    assert query_terms("请问一下怎么申请退货呢？") == ["申请", "请退", "退货"]
    assert "地址" in query_terms("我的地址填错了")
    assert query_terms("What is the warranty on it?") == [stem("warranty")]


def test_query_of_question_words_only_keeps_them():
    assert query_terms("what is it") == ["what", "is", "it"]
    assert query_terms("怎么办") != []


def test_nothing_has_no_terms():
    assert terms("") == query_terms("？！ ...") == []


def test_long_token_is_bounded():
    assert max(map(len, terms("x" * 100_000 + " " + "a1" * 50_000))) <= 64


@given(st.text(max_size=200))
def test_terms_are_single_plain_tokens(text):
    assert all(term and term == term.strip() and '"' not in term and " " not in term for term in terms(text))
