from hypothesis import given
from hypothesis import strategies as st

from dialog.grounding import grounded
from dialog.values import Passage

PASSAGE = Passage(
    id="p",
    text="Delivery takes 3.5 days. It is free.",
    source="s",
    title="Delivery",
    score=1,
    char_start=0,
    char_end=36,
)


def cut(texts: list[str]) -> list[str]:
    return [s.text for s in grounded(texts, passages=[PASSAGE], said="", min_support=0.6)]


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    taken: list[str] = []

    def pieces():  # type: ignore[no-untyped-def]
        for piece in ["Delivery takes 3", ".5 days.", " It"]:
            taken.append(piece)
            yield piece
        taken.append("end")

    first = next(iter(grounded(pieces(), passages=[PASSAGE], said="", min_support=0.6)))
    assert first.text == "Delivery takes 3.5 days."
    assert first.supported
    assert "end" not in taken


def test_positions_are_those_of_the_whole_draft() -> None:
    draft = "Sure! Delivery takes 3.5 days.\n\nIt is free."
    found = list(grounded([draft], passages=[PASSAGE], said="", min_support=0.6))
    assert [draft[s.start : s.end] for s in found] == ["Sure!", "Delivery takes 3.5 days.", "It is free."]


@given(st.lists(st.text(alphabet="ab。. \n3!", max_size=6), max_size=12))
def test_the_texts_joined_are_the_draft_however_it_is_cut(pieces: list[str]) -> None:
    assert "".join(cut(pieces)).rstrip() == "".join(pieces).rstrip()
