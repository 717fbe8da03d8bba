"""Groups are called after what tells them apart, in both languages."""

from corpora.mining.naming import names_of, telling_terms

EN = [
    ["My card has not arrived", "when does the card arrive", "card never arrived by post"],
    ["I want a refund please", "refund for the jacket", "please refund my order"],
]
ZH = [
    ["怎么修改收货地址", "收货地址写错了", "请帮我改收货地址"],
    ["退款什么时候到账", "退款没有到账", "我的退款多久能到账"],
]


def test_english_groups_are_named_by_words_as_written():
    first, second = telling_terms(EN)
    assert {"card", "arrived"} <= set(first)
    assert second[0] == "refund"


def test_neighbouring_han_pairs_become_words():
    first, second = telling_terms(ZH)
    assert first[0] == "收货地址"
    assert set(second) & {"退款", "到账"}


def test_word_of_all_groups_names_none():
    groups = [["order late parcel", "order parcel late"], ["order wrong size", "order size wrong"]]
    assert all(terms[0] != "order" for terms in telling_terms(groups))


def test_word_of_a_single_text_names_nothing():
    (terms,) = telling_terms([["refund for zanzibar trip", "refund the trip", "trip refund"]])
    assert "zanzibar" not in terms


def test_placeholders_name_nothing():
    (terms,) = telling_terms([["refund for [NAME_1]", "refund to [NAME_1]"]])
    assert terms == ("refund",)


def test_names_are_all_different():
    assert names_of([("card", "late"), ("card", "late", "post"), ("card", "late")]) == [
        "card-late",
        "card-late-post",
        "card-late-2",
    ]
    assert names_of([()]) == ["other"]
