import pytest

from dialog.citations import best_quote, check_sentence, cite, place
from dialog.values import Citation, Passage

THRESHOLD = 0.75


def passage(text: str, *, title: str = "", answer: str | None = None, start: int = 100) -> Passage:
    return Passage(
        id="p1",
        text=text,
        source="returns.md",
        title=title,
        score=0.9,
        char_start=start,
        char_end=start + len(text),
        answer=answer,
    )


RETURNS = passage(
    "You can return most items within 30 days. A return label costs $6. Gift cards cannot be returned."
)
RETURNS_ZH = passage("大部分商品可在30天内退货。退货运费为12元。礼品卡不可退货。")


@pytest.mark.parametrize(
    ("sentence", "knowledge"),
    [
        ("Most items can be returned within 30 days.", RETURNS),
        ("The return label costs $6.", RETURNS),
        ("Gift cards can't be returned.", RETURNS),
        ("大部分商品30天内可以退货。", RETURNS_ZH),
        ("礼品卡不可以退货。", RETURNS_ZH),
    ],
)
def test_a_paraphrase_is_supported(sentence: str, knowledge: Passage) -> None:
    assert check_sentence(sentence, passages=[knowledge]).supported(THRESHOLD)


@pytest.mark.parametrize(
    ("sentence", "knowledge"),
    [
        ("Most items can be returned within 60 days.", RETURNS),
        ("The return label costs $60.", RETURNS),
        ("Gift cards can be returned.", RETURNS),
        ("You cannot return most items within 30 days.", RETURNS),
        ("Our shop was founded in the mountains by two brothers.", RETURNS),
        ("大部分商品可在60天内退货。", RETURNS_ZH),
        ("礼品卡可退货。", RETURNS_ZH),
        ("我们的仓库位于上海浦东新区。", RETURNS_ZH),
    ],
)
def test_a_wrong_figure_a_flipped_negation_or_an_invention_is_not_supported(
    sentence: str, knowledge: Passage
) -> None:
    assert not check_sentence(sentence, passages=[knowledge]).supported(THRESHOLD)


def test_order_numbers_that_differ_in_one_digit_are_different() -> None:
    knowledge = passage("Order KH-20481 was shipped on 2026-03-01.")
    assert check_sentence("Order KH-20481 was shipped.", passages=[knowledge]).supported(THRESHOLD)
    assert not check_sentence("Order KH-20482 was shipped.", passages=[knowledge]).supported(THRESHOLD)


def test_a_figure_the_user_named_may_be_repeated() -> None:
    sentence = "For order 77, a return label costs $6."
    assert not check_sentence(sentence, passages=[RETURNS]).supported(THRESHOLD)
    assert check_sentence(sentence, passages=[RETURNS], said="my order 77").supported(THRESHOLD)


def test_a_sentence_without_a_claim_needs_no_passage_and_gets_no_citation() -> None:
    check = check_sentence("Sure!", passages=[RETURNS])
    assert check.supported(THRESHOLD)
    assert cite(check, reply_start=0, reply_end=5) is None


def test_the_quote_is_the_text_at_the_span_of_the_original() -> None:
    original = "x" * 100 + RETURNS.text
    check = check_sentence("A return label costs $6.", passages=[RETURNS])
    citation = cite(check, reply_start=0, reply_end=24)
    assert citation is not None
    assert citation.quote == "A return label costs $6."
    assert original[citation.char_start : citation.char_end] == citation.quote


def test_nothing_is_supported_by_no_passage() -> None:
    assert not check_sentence("Returns are free within 30 days.", passages=[]).supported(THRESHOLD)


def test_the_best_quote_of_a_faq_entry_is_its_answer() -> None:
    faq = passage("Can I return a gift card?\nNo, gift cards are final.", answer="No, gift cards are final.")
    start, end = best_quote("gift card refund", faq)
    assert faq.text[start:end] == "No, gift cards are final."


def test_the_best_quote_of_a_long_passage_is_about_the_question() -> None:
    knowledge = passage(
        "We love cooking. Our shop opened in May. We sell pots. Parcels are packed by hand. "
        "Express delivery takes two days. Express delivery costs $15. Boxes are recycled."
    )
    start, end = best_quote("how much is express delivery", knowledge)
    assert "Express delivery costs $15." in knowledge.text[start:end]


def test_a_quote_has_no_heading() -> None:
    knowledge = passage("## How long you have\n\nYou can return an item within 30 days.")
    start, end = best_quote("how long do I have", knowledge)
    assert knowledge.text[start:end] == "You can return an item within 30 days."


def test_the_title_of_a_passage_supports_no_claim() -> None:
    knowledge = passage("You can return an item within 30 days of delivery.", title="Gift cards")
    sentence = "You can return a gift card within 30 days of delivery."
    assert not check_sentence(sentence, passages=[knowledge]).supported(THRESHOLD)


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("A kettle return costs.", "What does a kettle return cost?\nIt is $6."),
        ("水壶退货要运费。", "水壶退货要运费吗？\n每单12元。"),
    ],
)
def test_the_question_of_a_faq_supports_no_claim(sentence: str, text: str) -> None:
    assert not check_sentence(sentence, passages=[passage(text)]).supported(THRESHOLD)


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        ({}, ""),
        ({"page": 3, "last_page": 3}, ", page 3"),
        ({"page": 3, "last_page": 5}, ", pages 3-5"),
        ({"sheet": "价格"}, ", sheet 价格"),
    ],
)
def test_a_citation_names_page_and_sheet_of_its_passage(where: dict[str, int | str], shown: str) -> None:
    knowledge = RETURNS_ZH.model_copy(update=where)
    check = check_sentence("礼品卡不可以退货。", passages=[knowledge])
    citation = cite(check, reply_start=0, reply_end=9)
    assert citation is not None
    assert (place(citation), place(knowledge)) == (shown, shown)


def test_a_citation_stored_without_page_is_read() -> None:
    stored = (
        '{"passage_id": "p1", "source": "a.md", "title": "", "quote": "x", '
        '"reply_start": 0, "reply_end": 1, "char_start": 0, "char_end": 1}'
    )
    citation = Citation.model_validate_json(stored)
    assert (citation.page, citation.last_page, citation.sheet) == (None, None, None)
