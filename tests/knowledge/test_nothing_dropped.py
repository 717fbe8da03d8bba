"""Numbers, names and negations reach every leg, whatever stands around them."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.knowledge.lexical import Lexicon, lexical_terms
from dialog.knowledge.query import plan_query
from dialog.knowledge.views import Columns, Scope
from dialog.values import Message

TOLD = ("4711-B", "¥199", "2026-01-05", "Alderwing", "TENT-200", "not", "don't", "不", "没", "鹪鹩", "30%")
FILLER = ("please", "can", "you", "the", "what about", "请问", "怎么", "可以", "那", "吗", "呢", " ", "。")

turns = st.lists(st.sampled_from([*TOLD, *FILLER]), min_size=1, max_size=12).map(" ".join)
histories = st.lists(
    st.sampled_from(["Is the tent covered?", "可以，三十天内。", "Yes. " * 300]), max_size=10
)


def said(texts):
    return [Message(role=("user", "assistant")[i % 2], content=text) for i, text in enumerate(texts)]


@given(turn=turns, before=histories)
@settings(max_examples=150, deadline=None)
def test_the_turn_is_whole_in_every_text_that_is_searched_for(turn, before):
    plan = plan_query(turn, said(before))
    assert all(turn in text for text in (*plan.meanings, plan.context_terms or turn))
    spelt = plan.spelt(turn.replace("Alderwing", "Alderwings"))
    assert spelt.query == turn
    assert spelt.context is None or turn in spelt.context


@given(turn=turns)
@settings(max_examples=150, deadline=None)
def test_terms_of_the_lexical_leg_hold_what_was_told(turn):
    found = lexical_terms(turn)
    for word in turn.split():
        if word in TOLD and word not in ("¥199", "30%"):
            assert set(lexical_terms(word)) <= set(found)
    assert "199" in found or "¥199" not in turn
    assert "30" in found or "30%" not in turn


def test_number_in_a_pasted_page_of_common_words_is_still_searched_for(shelf):
    page = " ".join(f"word{letter}{other}" for letter in "abcdefghij" for other in "abcdefghij")
    shelf.write("page.md", f"# Page\n\n{page}\n")
    for i in range(3):
        shelf.write(f"n{i}.md", f"# Order\n\nOrder 4711 and not {i}.\n")
    shelf.build()
    with shelf.open() as knowledge:
        catalog = knowledge._published().catalog
        columns = Columns.load(catalog)
        view = columns.view(catalog, Scope(today=date(2026, 3, 1)))
        found = Lexicon(catalog, columns).search(f"{page} 4711 not", limit=10, view=view)
        sources = {row.source for row in catalog.chunks([number for number, _ in found])}
    assert sources == {"page.md", "n0.md", "n1.md", "n2.md"}
