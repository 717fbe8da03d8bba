"""When a passage holds, for which locale, and which of two answers is the newer."""

from datetime import date

import pytest

from dialog.errors import KnowledgeError
from dialog.knowledge.facets import read_facets
from dialog.knowledge.freshness import Dated, newest_first
from dialog.settings import KnowledgeSection

SPRING = (
    "---\nvalid_from: 2026-03-01\nvalid_until: 2026-05-31\n---\n# Parking\n\nParking is free in spring.\n"
)
春季 = "---\n生效日期: 2026年3月1日\n失效日期: 2026/5/31\n---\n# 停车\n\n春季停车免费。\n"


@pytest.mark.parametrize(("content", "query"), [(SPRING, "parking"), (春季, "停车")])
@pytest.mark.parametrize("exact_limit", [100, 0])
def test_passage_is_found_from_its_first_to_its_last_day(shelf, content, query, exact_limit):
    shelf.write("a.md", content)
    shelf.build()
    shelf.exact_limit = exact_limit
    found = {}
    for shelf.today in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 5, 31), date(2026, 6, 1)):
        found[shelf.today.isoformat()] = len(shelf.texts(query))
    assert found == {"2026-02-28": 0, "2026-03-01": 1, "2026-05-31": 1, "2026-06-01": 0}


def test_validity_is_judged_anew_each_day_of_a_long_process(shelf):
    shelf.write("a.md", SPRING)
    shelf.build()
    with shelf.open() as knowledge:
        shelf.today = date(2026, 5, 31)
        assert knowledge.search("parking", top_k=1).passages
        shelf.today = date(2026, 6, 1)
        assert not knowledge.search("parking", top_k=1).passages


def test_expired_passages_leave_room_for_valid_ones(shelf):
    old = "".join(f"Where to park?,Old lot number {n}.,2020-01-01\n" for n in range(80))
    shelf.write("faq.csv", f"question,answer,valid_until\n{old}Where is parking?,The new lot.,\n")
    shelf.build()
    for shelf.exact_limit in (100, 0):
        assert shelf.texts("Where to park?") == ["Where is parking?\nThe new lot."]


@pytest.mark.parametrize("value", ["2026-13-01", "soon", "01/02/2026", "2026-02-30", "明年"])
def test_bad_date_keeps_a_document_out_and_says_so(shelf, value):
    shelf.write("a.md", f"---\nvalid_until: '{value}'\n---\nParking is free.\n")
    (skip,) = shelf.build().skipped
    assert skip.source == "a.md"
    assert skip.reason == f"valid_until = {value!r} is not a date; write it as 2026-12-31"


def test_bad_date_keeps_only_its_entry_of_an_faq_out(shelf):
    shelf.write("faq.csv", "问题,答案,失效日期\n停车免费吗,免费。,下个月\n怎么退货,寄回。,2030-01-01\n")
    (skip,) = shelf.build().skipped
    assert skip.source == "faq.csv: '停车免费吗 免费。'"
    assert shelf.texts("停车免费吗") == ["怎么退货\n寄回。"]
    assert shelf.build().unchanged == 1


def test_range_that_never_holds_is_noticed(shelf):
    shelf.write("a.md", "---\nvalid_from: 2026-05-01\nvalid_until: 2026-04-01\n---\nParking is free.\n")
    (notice,) = shelf.build().notices
    assert "is never valid: 2026-05-01 to 2026-04-01" in notice.reason


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("2026/1/31", date(2026, 1, 31)),
        ("2026年1月31日", date(2026, 1, 31)),
        ("２０２６．１．３１", date(2026, 1, 31)),
        ("20260131", date(2026, 1, 31)),
        (20260131, date(2026, 1, 31)),
        ("2026-01-31T23:59:00+08:00", date(2026, 1, 31)),
        ("2026-01-31 00:00:00", date(2026, 1, 31)),
    ],
)
def test_dates_are_read_in_both_languages_notations(written, day):
    assert read_facets({"Valid-From": written}).facets.valid_from == day.toordinal()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, {"all", "de", "de-AT", "zh-CN"}),
        ("de", {"all", "de", "de-AT"}),
        ("de_at", {"all", "de", "de-AT"}),
        ("de-CH", {"all", "de"}),
        ("zh", {"all", "zh-CN"}),
    ],
)
def test_locale_sees_its_own_the_more_general_and_what_has_none(shelf, wanted, found):
    shelf.write(
        "faq.csv", "question,answer,locale\nPark?,all,\nPark?,de,de\nPark?,de-AT,de_AT\nPark?,zh-CN,zh-CN\n"
    )
    shelf.build()
    shelf.section = KnowledgeSection(embedder="hash", locale=wanted)
    assert {text.split("\n")[1] for text in shelf.texts("park")} == found


def test_locale_that_is_none_is_refused(shop):
    shop.section = KnowledgeSection(embedder="hash", locale="German")
    with pytest.raises(KnowledgeError, match=r"knowledge\.locale = 'German' is not a locale"):
        shop.open()


def test_metadata_given_to_the_run_is_stronger_than_the_documents(shelf):
    shelf.write("a.md", SPRING)
    shelf.build(metadata={"valid_until": "2026-03-31", "product": "lot"})
    shelf.today = date(2026, 4, 1)
    assert shelf.texts("parking") == []
    shelf.today = date(2026, 3, 31)
    assert shelf.texts("parking", where={"product": "lot"})


def test_run_with_other_metadata_changes_the_documents(shelf):
    shelf.write("a.md", "Parking is free.\n")
    shelf.build()
    report = shelf.build(metadata={"product": "lot"})
    assert (report.changed, report.num_embedded) == (1, 0)


@pytest.mark.parametrize(
    ("question", "old", "new"),
    [("怎么退货", "七天内可以退货", "三十天内可以退货"), ("Can I return it?", "No.", "Yes.")],
)
@pytest.mark.parametrize("is_new_first", [True, False])
def test_newer_of_two_contradictory_answers_comes_first(shelf, question, old, new, is_new_first):
    rows = [f"{question},{old},2020-01-01\n", f"{question},{new},2026-01-01\n"]
    shelf.write("faq.csv", "question,answer,updated\n" + "".join(rows[:: -1 if is_new_first else 1]))
    shelf.build()
    with shelf.open() as knowledge:
        (first,) = knowledge.search(question, top_k=1).passages
        both = knowledge.search(question, top_k=2).passages
    assert first.answer == new
    assert [passage.answer for passage in both] == [new, old]
    assert both[0].score >= both[1].score


def test_newer_passage_does_not_pass_a_clearly_better_match(shelf):
    shelf.write(
        "faq.csv",
        "question,answer,updated\nCan I return a tent?,Yes.,2020-01-01\nAny stoves?,Yes.,2026-01-01\n",
    )
    shelf.build()
    assert shelf.texts("Can I return a tent?")[0] == "Can I return a tent?\nYes."


def test_newer_answer_that_covers_less_of_the_question_stays_behind(shelf):
    shelf.write(
        "faq.csv",
        "question,answer,updated\nWarranty?,Two years on a tent.,2020-01-01\n"
        "Warranty?,One year on a stove.,2026-01-01\n",
    )
    shelf.build()
    assert shelf.texts("warranty of a tent")[0] == "Warranty?\nTwo years on a tent."
    assert shelf.texts("warranty")[0] == "Warranty?\nOne year on a stove."


def test_answers_about_different_products_are_not_versions_of_one(shelf):
    shelf.write(
        "faq.csv",
        "question,answer,product,updated\nWarranty?,Two years warranty.,tent,2020-01-01\n"
        "Warranty?,One.,stove,2026-01-01\n",
    )
    shelf.build()
    assert shelf.texts("warranty years")[0] == "Warranty?\nTwo years warranty."


def test_only_what_is_known_to_be_newer_moves_ahead():
    assert newest_first([Dated(1.0, "Q", 0), Dated(0.99, "Q", 9)]) == [0, 1]
    assert newest_first([Dated(1.0, "Q", 9), Dated(0.99, "Q", 8)]) == [0, 1]
    assert newest_first([Dated(1.0, "Q", 8), Dated(0.3, "Q", 9)]) == [1, 0]
    assert newest_first([Dated(1.0, "Q", 8), Dated(0.3, "Q", 9, coverage=0.5)]) == [0, 1]
    assert newest_first([Dated(1.0, "Q", 8), Dated(0.9, "R", 9)]) == [0, 1]
    assert newest_first([Dated(1.0, "Q", 8), Dated(0.999, "R", 9)]) == [1, 0]
    assert newest_first([Dated(1.0, "Q", 7), Dated(0.98, "R", 0), Dated(0.9, "Q", 9)]) == [2, 0, 1]


def test_date_of_an_update_that_cannot_be_read_is_noticed(shelf):
    shelf.write("faq.csv", "question,answer,updated\nPark?,Yes.,last week\n")
    report = shelf.build()
    assert (report.added, len(report.skipped)) == (1, 0)
    assert "updated = 'last week' is not a date" in report.notices[0].reason
