"""The lexical leg on its own."""

import sqlite3
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, lists

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.lexical import Lexicon, top
from dialog.knowledge.segment import query_terms, terms
from dialog.knowledge.views import Columns, Scope

TOPICS = [
    "退货",
    "换货",
    "保修",
    "发票",
    "运费",
    "配送",
    "安装",
    "会员",
    "积分",
    "优惠",
    "礼卡",
    "支付",
    "密码",
]
TOPICS += ["账号", "地址", "隐私", "投诉", "客服", "维修", "颜色"]
THINGS = [f"{kind}{model}" for kind in "帐灯炉锅壶杯靴袜帽袋" for model in "甲乙丙丁戊"]


def found(shelf, query, limit=5):
    catalog = Catalog(shelf.index / "store-1" / "knowledge.db", read_only=True)
    columns = Columns.load(catalog)
    view = columns.view(catalog, Scope(today=date(2026, 3, 1)))
    ranked = Lexicon(catalog, columns).search(query, limit=limit, view=view)
    rows = catalog.chunks([number for number, _ in ranked])
    catalog.close()
    return [row.text for row in rows]


def test_long_unpunctuated_chinese_question_finds_its_document_among_a_thousand(shelf):
    lines = [
        f"{thing}的{topic}说明,本店关于{thing}的{topic}规定如下请按步骤办理"
        for thing in THINGS
        for topic in TOPICS
    ]
    shelf.write("faq.csv", "\n".join(["问题,答案", *lines]))
    assert shelf.build().num_chunks == 1000
    question = (
        "你好我上个星期在你们店里给我妈妈买了一个炉丙用了两天之后发现不太合适所以想请问一下"
        "这个炉丙的换货到底应该怎么办理才对呢麻烦告诉我谢谢"
    )
    assert len(question) >= 60
    assert found(shelf, question)[0].startswith("炉丙的换货说明")


def test_mixed_query_finds_the_product(shelf):
    shelf.write("faq.csv", "问题,答案\niPhone 15 保修,一年\niPhone 14 保修,两年\n安卓手机保修,半年\n")
    shelf.build()
    assert found(shelf, "ｉＰｈｏｎｅ１５保修多久")[0].startswith("iPhone 15")


@pytest.mark.parametrize(
    "query",
    [
        '"',
        "a OR b",
        "NEAR(a b)",
        "terms:退货",
        "-退货",
        "退货*",
        "heading : x",
        "(",
        "'; DROP TABLE chunks",
        "^退货",
    ],
)
def test_query_is_never_fts_syntax(shop, query):
    found(shop, query)


def test_negated_looking_query_still_finds_the_word(shop):
    assert "退货" in found(shop, "-退货")[0]


def test_pasted_page_is_cut_to_its_rarest_terms(shop):
    page = "the weather is nice and the " * 20_000 + " perishables " + "字词" * 20_000
    assert "perishables" in found(shop, page)[0]


def test_nothing_in_common_finds_nothing(shop):
    assert found(shop, "quantum chromodynamics") == []


@pytest.mark.parametrize(
    "query", ["return goods within 30 days", "怎么申请退货运费", "We open 七天 perishables"]
)
def test_scores_are_those_of_fts5_where_everything_is_seen(shop, query):
    for number in range(40):
        shop.write(
            f"{number}.md", f"# Day {number} 退货\n\n{'return goods 退货运费 ' * (number % 7)}open {number}\n"
        )
    shop.build()
    catalog = Catalog(shop.index / "store-1" / "knowledge.db", read_only=True)
    columns = Columns.load(catalog)
    view = columns.view(catalog, Scope(today=date(2026, 3, 1)))
    ours = Lexicon(catalog, columns).search(query, limit=100, view=view)
    theirs = scored_by_fts5(catalog, query)
    catalog.close()
    assert dict(ours) == pytest.approx(theirs, rel=1e-4)
    assert [score for _, score in ours] == sorted((score for _, score in ours), reverse=True)


def scored_by_fts5(catalog, query):
    """SQLite's own bm25() over the terms of all chunks, headings counted three times."""
    with sqlite3.connect(":memory:") as memory:
        memory.execute(
            "CREATE VIRTUAL TABLE terms USING fts5(heading, body, tokenize='unicode61 remove_diacritics 0')"
        )
        for row in catalog.chunks(catalog.numbers_where({})):
            own = (row.number, " ".join(terms(row.heading)), " ".join(terms(row.text)))
            memory.execute("INSERT INTO terms(rowid, heading, body) VALUES (?, ?, ?)", own)
        expression = " OR ".join(f'"{term}"' for term in query_terms(query))
        sql = "SELECT rowid, -bm25(terms, 3.0, 1.0) FROM terms WHERE terms MATCH ?"
        found = dict(memory.execute(sql, (expression,)).fetchall())
    memory.close()
    return found


@given(
    scores=lists(floats(-1, 1, width=32), max_size=300),
    num_equal=integers(0, 300),
    limit=integers(1, 40),
)
def test_top_is_the_beginning_of_the_whole_order(scores, num_equal, limit):
    given_scores = np.array([*scores, *[0.5] * num_equal], dtype=np.float32)
    whole = np.argsort(-given_scores, kind="stable")
    assert top(given_scores, limit).tolist() == whole[:limit].tolist()
