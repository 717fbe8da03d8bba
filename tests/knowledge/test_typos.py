"""Misspelt names are searched for as the documents write them; nothing else is touched."""

from datetime import date

import pytest

from dialog.knowledge.catalog import Catalog
from dialog.knowledge.lexical import Lexicon
from dialog.knowledge.typos import Names, corrected, corrections
from dialog.knowledge.views import Columns, Scope

ORDINARY = frozenset({"kayak", "stork", "退款", "政策"})


@pytest.fixture
def catalog(shelf):
    shelf.write(
        "tent.md", "# Alderwing tents\n\nThe Alderwing 2 has code TENT-200. Ask the Brockenhurst store.\n"
    )
    shelf.write("stove.md", "# 鹪鹩气炉\n\n鹪鹩气炉重三百克。退货政策见网站。\n")
    shelf.write("policy.md", "# 退货政策\n\n七天内可以退货。\n")
    shelf.write("other.md", "# Opening\n\nwe store parcels and stark lamps here.\n")
    shelf.build()
    catalog = Catalog(next(shelf.index.glob("store-*")) / "knowledge.db", read_only=True)
    yield catalog
    catalog.close()


def looked_up(catalog, query, *, ordinary=ORDINARY, where=None):
    columns = Columns.load(catalog)
    view = columns.view(catalog, Scope(today=date(2026, 3, 1)).among(where))
    names = Names(catalog, Lexicon(catalog, columns), view)
    return corrections(names, query, ordinary=lambda: ordinary)


def found(catalog, query, **options):
    return [(one.wrong, one.right) for one in looked_up(catalog, query, **options)]


@pytest.mark.parametrize(
    ("query", "wrong", "right"),
    [
        ("Is the Aldrwing in stock?", "Aldrwing", "Alderwing"),
        ("is the aldewring in stock", "aldewring", "Alderwing"),
        ("Where is the Brokenhurst shop?", "Brokenhurst", "Brockenhurst"),
        ("Do you have the TNET-200?", "TNET-200", "TENT-200"),
        ("鹪料气炉多重", "鹪料气炉", "鹪鹩气炉"),
        ("请问鹪鹩汽炉有货吗", "鹪鹩汽炉", "鹪鹩气炉"),
        ("Alderwnig有货吗", "Alderwnig", "Alderwing"),
    ],
)
def test_misspelt_name_is_recognised(catalog, query, wrong, right):
    assert found(catalog, query) == [(wrong, right)]


@pytest.mark.parametrize(
    "query",
    [
        "Is the Alderwing in stock?",  # right already
        "Do you sell a stork?",  # exists, though the index says `stark`
        "Do you have the TENT-201?",  # a digit is never a typo
        "My order TNET-200 is late",  # what an order is called is nobody's name
        "订单 TNET-200 到哪了",
        "I paid 200 on 2026-01-05",
        "Can I sell parclels here?",  # near an ordinary word, not a name
        "退款政策是什么",  # a word of its own
        "Is he at the Alder?",
        "",
    ],
)
def test_everything_else_stays(catalog, query):
    assert found(catalog, query) == []


def test_negation_and_numerals_are_never_put_into_a_name(shelf):
    shelf.write("a.md", "# 不锈钢锅\n\n锅。\n")
    shelf.write("b.md", "# 第三代帐篷\n\n帐篷。\n")
    shelf.build()
    catalog = Catalog(next(shelf.index.glob("store-*")) / "knowledge.db", read_only=True)
    assert found(catalog, "布锈钢锅", ordinary=frozenset()) == []
    assert found(catalog, "第五代帐篷", ordinary=frozenset()) == []
    catalog.close()


def test_two_names_as_near_are_left_alone(shelf):
    shelf.write("a.md", "# Marlow\n\nOne.\n")
    shelf.write("b.md", "# Marlot\n\nTwo.\n")
    shelf.build()
    catalog = Catalog(next(shelf.index.glob("store-*")) / "knowledge.db", read_only=True)
    assert found(catalog, "Is Marllow there?") == [("Marllow", "Marlow")]
    assert found(catalog, "Is Marlox there?") == []
    catalog.close()


def test_name_of_documents_that_are_filtered_out_is_not_told(shelf):
    shelf.write("tent.md", "---\nproduct: tent\n---\n# Alderwing tents\n\nIn stock.\n")
    shelf.write("stove.md", "---\nproduct: stove\n---\n# Stoves\n\nIn stock.\n")
    shelf.build()
    catalog = Catalog(next(shelf.index.glob("store-*")) / "knowledge.db", read_only=True)
    assert found(catalog, "Is the Aldrwing in stock?", where={"product": "tent"}) != []
    assert found(catalog, "Is the Aldrwing in stock?", where={"product": "stove"}) == []
    catalog.close()


def test_corrected_query_keeps_everything_else(catalog):
    query = "Is order 4711 of the Aldrwing not covered for ¥199?"
    assert (
        corrected(query, looked_up(catalog, query)) == "Is order 4711 of the Alderwing not covered for ¥199?"
    )


@pytest.mark.parametrize(("query", "source"), [("Aldrwing?", "tent.md"), ("鹪料汽炉", "stove.md")])
def test_search_says_what_it_took_a_name_for_and_keeps_the_original(shelf, catalog, query, source):
    with shelf.open() as knowledge:
        result = knowledge.search(query, top_k=1)
    assert result.query == query
    if query.isascii():
        assert result.rewritten == "Alderwing?"
    assert result.passages[0].source == source


@pytest.mark.parametrize("query", ["那个气炉多重", "鹪鹩气炉吗", "我想买鹪鹩", "鹪鹩气炉的重量", "气炉"])
def test_characters_that_join_names_are_no_misspellings(catalog, query):
    assert found(catalog, query, ordinary=frozenset()) == []
