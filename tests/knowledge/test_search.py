"""Searching an index: passages, filters, history, threads, states of publication."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from dialog.errors import KnowledgeError
from dialog.knowledge.base import open_knowledge
from dialog.protocols import Retriever
from dialog.settings import KnowledgeSection
from dialog.testing import HashEmbedder
from dialog.values import Message


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("Can perishables be returned?", "returns.md"),
        ("When do you open on weekdays?", "hours.txt"),
        ("怎么申请退货", "faq.csv"),
        ("手机电池保修多久", "faq.csv"),
    ],
)
def test_question_finds_its_document_first(shop, query, source):
    with shop.open() as knowledge:
        result = knowledge.search(query, top_k=3)
    assert result.passages[0].source == source
    assert result.passages[0].legs.lexical == 1


def test_scores_fall_within_zero_and_one(shop):
    with shop.open() as knowledge:
        scores = [p.score for p in knowledge.search("open goods 退货", top_k=10).passages]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_spans_index_the_documents_text(shop):
    with shop.open() as knowledge:
        for passage in knowledge.search("return goods 退货 open", top_k=10).passages:
            document = knowledge.document(passage.id)
            assert document.text[passage.char_start : passage.char_end] == passage.text


def test_markdown_span_can_be_looked_up_in_the_file(shop):
    with shop.open() as knowledge:
        passage = knowledge.search("perishables", top_k=1).passages[0]
    text = (shop.documents / passage.source).read_text()
    assert text[passage.char_start : passage.char_end] == passage.text


def test_faq_entry_carries_its_answer(shop):
    with shop.open() as knowledge:
        passage = knowledge.search("怎么申请退货", top_k=1).passages[0]
    assert passage.answer == "签收后七天内可以无理由退货，运费由买家承担。"
    assert passage.answer in passage.text
    assert passage.title == "怎么申请退货"
    assert passage.language == "zh"


def test_faq_entry_shows_its_own_source(shelf):
    shelf.write("faq.csv", "question,answer,source\nHow?,So.,https://shop.example/how\n")
    shelf.build()
    with shelf.open() as knowledge:
        assert knowledge.search("how", top_k=1).passages[0].source == "https://shop.example/how"


@pytest.mark.parametrize("query", ["", "  \n"])
def test_empty_query_abstains_with_nothing(shop, query):
    with shop.open() as knowledge:
        result = knowledge.search(query, top_k=3)
    assert (result.abstain, result.confidence, result.passages) == (True, 0.0, ())


def test_empty_index_abstains_with_nothing(shelf):
    shelf.build()
    with shelf.open() as knowledge:
        result = knowledge.search("anything", top_k=3)
    assert (result.abstain, result.confidence, result.passages) == (True, 0.0, ())


def test_filter_keeps_what_holds_the_value(shelf):
    for city in ("a", "b"):
        shelf.write(
            f"{city}.md",
            f"---\ncity: {city}\ntags: [x{city}, y]\n---\nParking of {city} is free.\n",
        )
    shelf.write("open.md", "Parking of nobody is free.\n")
    shelf.build()
    assert shelf.texts("parking", where={"city": "a"}) == ["Parking of a is free."]
    assert shelf.texts("parking", where={"tags": "xb"}) == ["Parking of b is free."]
    assert len(shelf.texts("parking", where={"city": ["a", "b"], "tags": "y"})) == 2
    assert shelf.texts("parking", where={"city": "c"}) == []
    assert shelf.texts("parking", where={"city') OR 1=1 --": "a"}) == []


def test_filter_takes_the_names_and_notations_that_documents_may_use(shelf):
    shelf.write("faq.csv", "问题,答案,语言区域\n停车吗,可以。,zh_CN\n停车吗,不行。,zh_TW\n")
    shelf.build()
    assert shelf.texts("停车", where={"locale": "zh-CN"}) == ["停车吗\n可以。"]
    assert shelf.texts("停车", where={"语言区域": ["zh_TW"]}) == ["停车吗\n不行。"]


@pytest.mark.parametrize("value", [{"a": 1}, [["a"]], None, b"a"])
def test_filter_by_what_no_metadata_holds_is_refused(shop, value):
    with pytest.raises(ValueError, match=r"where\['product'\] is .*; filter by text"):
        shop.texts("退货", where={"product": value})


def test_faq_columns_can_be_filtered_by(shelf):
    shelf.write("faq.csv", "question,answer,product\nWarranty?,One year.,tent\nWarranty?,Two years.,stove\n")
    shelf.build()
    assert shelf.texts("warranty", where={"product": "stove"}) == ["Warranty?\nTwo years."]


def test_history_picks_the_document_of_a_turn_that_leans_on_it(shelf):
    for thing, fee in (("tent", 3), ("stove", 7), ("kettle", 9)):
        shelf.write(
            f"{thing}.md",
            f"# {thing.title()}\n\nThe {thing} is light.\n\n# Fee\n\nShipping fee: {fee} euro.\n",
        )
    shelf.section = KnowledgeSection(embedder="hash", chunk_tokens=16)
    shelf.build()
    history = [
        Message(role="user", content="Tell me about the stove."),
        Message(role="assistant", content="The stove is light."),
    ]
    with shelf.open() as knowledge:
        result = knowledge.search("And the fee?", top_k=2, history=history)
    assert {passage.source for passage in result.passages[:1]} == {"stove.md"}
    assert "stove" in result.rewritten


def test_new_topic_leaves_the_old_one_behind(shop):
    history = [
        Message(role="user", content="怎么申请退货"),
        Message(role="assistant", content="签收后七天内可以无理由退货，运费由买家承担。"),
    ]
    with shop.open() as knowledge:
        result = knowledge.search("When exactly do you open and close on weekdays?", top_k=1, history=history)
    assert result.passages[0].source == "hours.txt"
    assert result.rewritten is None


def test_search_sees_what_was_published_since_opening(shop):
    with shop.open() as knowledge:
        before = knowledge.fingerprint
        shop.write("hours.txt", "Opening hours\nWe open at ten on Sundays.\n")
        shop.build()
        assert "ten" in knowledge.search("when do you open", top_k=1).passages[0].text
        assert knowledge.fingerprint != before
        shop.write("hours.txt", "Opening hours\nWe open at noon.\n")
        shop.build(rebuild=True)
        assert "noon" in knowledge.search("when do you open", top_k=1).passages[0].text


def test_equal_content_has_an_equal_fingerprint_and_ids_wherever_it_lies(shop, tmp_path):
    shutil.copytree(shop.documents, tmp_path / "elsewhere" / "documents")
    with shop.open() as knowledge:
        first = (knowledge.fingerprint, [p.id for p in knowledge.search("退货", top_k=5).passages])
    shutil.rmtree(shop.index)
    shop.build(tmp_path / "elsewhere" / "documents")
    with shop.open() as knowledge:
        assert (knowledge.fingerprint, [p.id for p in knowledge.search("退货", top_k=5).passages]) == first


def test_threads_share_a_knowledge_base(shop):
    with shop.open() as knowledge, ThreadPoolExecutor(8) as pool:
        queries = ["怎么申请退货", "When do you open?"] * 40
        results = list(pool.map(lambda query: knowledge.search(query, top_k=3), queries))
    assert len({result.model_dump_json() for result in results}) == 2


def test_searching_while_another_writes_never_fails(shop):
    with shop.open() as knowledge, ThreadPoolExecutor(2) as pool:

        def churn():
            for number in range(6):
                shop.write("hours.txt", f"Opening hours\nWe open at {number}.\n")
                shop.build()

        writing = pool.submit(churn)
        while not writing.done():
            passage = knowledge.search("when do you open", top_k=1).passages[0]
            assert knowledge.document(passage.id) is None or "open" in passage.text
        writing.result()


def test_knowledge_base_is_a_retriever(shop):
    with shop.open() as knowledge:
        retriever: Retriever = knowledge
        assert retriever.search("退货", top_k=1).passages


def test_no_index_names_the_way_out(tmp_path):
    with pytest.raises(KnowledgeError, match=r"there is no knowledge index .* instructrec index PATH"):
        open_knowledge(tmp_path / "none", KnowledgeSection(), embedder=HashEmbedder())


def test_another_embedder_is_refused(shop):
    with pytest.raises(KnowledgeError, match="embedder"):
        open_knowledge(shop.index, shop.section, embedder=HashEmbedder(name="other"))


def test_lost_store_names_the_way_out(shop):
    shutil.rmtree(shop.index / "store-1")
    with pytest.raises(KnowledgeError, match="--rebuild"):
        shop.texts("退货")


def test_read_only_index_can_be_searched(shop):
    for path in [shop.index, *shop.index.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert shop.texts("退货")
    finally:
        for path in [shop.index, *shop.index.rglob("*")]:
            path.chmod(0o755)


def test_collection_gives_the_same_as_exact_search(shop):
    exact = shop.texts("Can I return goods?")
    shop.exact_limit = 0
    assert shop.texts("Can I return goods?") == exact
    assert shop.texts("return", where={"product": "tent"}) != []


def test_minimum_confidence_can_be_set(shop):
    shop.section = KnowledgeSection(embedder="hash", min_confidence=1.0)
    with shop.open() as knowledge:
        assert knowledge.search("怎么申请退货", top_k=1).abstain
