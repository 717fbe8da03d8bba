"""Chunks: exact spans, the author's structure, bounded size, FAQ entries apart."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.knowledge.chunk import chunk_document
from dialog.knowledge.convert.pieces import Converted, Piece, heading
from dialog.knowledge.documents import RawFile
from dialog.knowledge.readers.assemble import assembled
from dialog.knowledge.readers.markdown import read_markdown
from dialog.knowledge.readers.plain import loaded, read_plain
from dialog.knowledge.readers.rows import read_csv
from dialog.text import words


def chunks(text, *, limit=20, reader=read_markdown, name="a.md"):
    (loaded,) = reader(RawFile(source=name, key=f"/kb/{name}", data=text.encode()))
    found = chunk_document(loaded, limit_words=limit)
    assert all(chunk.text == loaded.document.text[chunk.start : chunk.end] for chunk in found)
    return found


def test_neighbours_under_one_heading_join_up_to_the_limit():
    text = "# A\n\none two three\n\nfour five six\n\nseven eight nine\n"
    assert [chunk.text for chunk in chunks(text, limit=6)] == [
        "one two three\n\nfour five six",
        "seven eight nine",
    ]


def test_heading_path_is_embedded_but_not_in_the_text():
    (first, second) = chunks("# Returns\n\nThey are free.\n\n## Exceptions\n\nGift cards are not.\n", limit=4)
    assert (first.text, first.embedded) == ("They are free.", "Returns\nThey are free.")
    assert second.embedded == "Returns > Exceptions\nGift cards are not."


def test_sections_of_two_topics_do_not_join():
    text = "# A\n\n" + "one two three. " * 3 + "\n\n# B\n\n" + "four five six. " * 3
    assert [chunk.path[-1] for chunk in chunks(text, limit=20)] == ["A", "B"]


def test_small_section_joins_the_next_under_the_same_parent():
    text = "# Shop\n\n## Open\n\nnine\n\n## Closed\n\nsix on weekdays and never on any other day\n"
    (chunk,) = chunks(text, limit=20)
    assert chunk.path == ("Shop", "Open / Closed")
    assert "Closed" in chunk.text


def test_long_paragraph_is_cut_between_sentences():
    found = chunks("One two three four. Five six seven eight. Nine ten.", limit=6)
    assert [chunk.text for chunk in found] == ["One two three four.", "Five six seven eight. Nine ten."]


def test_chinese_paragraph_is_cut_between_sentences():
    found = chunks("签收后七天内可以退货。运费由买家承担。电池保修半年。", limit=18)
    assert [chunk.text for chunk in found] == ["签收后七天内可以退货。运费由买家承担。", "电池保修半年。"]
    assert {chunk.language for chunk in found} == {"zh"}


def test_sentence_over_the_limit_is_cut_between_words():
    found = chunks("word " * 50, limit=20)
    assert [len(words(chunk.text)) for chunk in found] == [20, 20, 10]


def test_huge_line_is_cut_quickly():
    assert len(chunks("a. b. 很长的一行" * 40_000, limit=100)) > 1000


def test_unbroken_run_is_cut():
    found = chunks("退" * 1000, limit=100)
    assert [len(chunk.text) for chunk in found] == [100] * 10


def test_faq_entries_never_share_a_chunk_and_carry_their_answer():
    found = chunks(
        "question,answer\nHow?,So.\nWhen?,Now or later or never.\n", limit=20, reader=read_csv, name="faq.csv"
    )
    assert [chunk.text for chunk in found] == ["How?\nSo.", "When?\nNow or later or never."]
    assert [chunk.path for chunk in found] == [("How?",), ("When?",)]
    start, end = found[1].answer
    assert found[1].text[start - found[1].start : end - found[1].start] == "Now or later or never."


def test_faq_answer_over_the_limit_stays_whole():
    (chunk,) = chunks(f"question,answer\nHow?,{'so ' * 90}\n", limit=20, reader=read_csv, name="faq.csv")
    assert len(words(chunk.text)) == 91


def test_long_table_is_cut_between_rows_and_every_part_names_the_columns():
    rows = "".join(f"| tent {i} | {i} euro |\n" for i in range(5))
    found = chunks(f"# Prices\n\n| Product | Price |\n|---|---|\n{rows}", limit=9)
    assert [chunk.path[1:] for chunk in found] == [(), ("Product, Price",), ("Product, Price",)]
    assert found[-1].text == "| tent 3 | 3 euro |\n| tent 4 | 4 euro |"
    assert found[-1].embedded.startswith("Prices > Product, Price\n")


def test_chunk_of_two_pages_names_both():
    pieces = [Piece("text", "One two.", page=3), Piece("text", "Three four.", page=4, last_page=5)]
    text, blocks, _ = assembled(Converted([heading("A", level=1), *pieces]))
    file = RawFile(source="a.pdf", key="/kb/a.pdf", data=b"")
    (chunk,) = chunk_document(loaded(file, text=text, title="A", blocks=blocks), limit_words=20)
    assert chunk.metadata["page"] == [3, 4, 5]


def test_ids_survive_text_added_in_front():
    before = {chunk.text: chunk.id for chunk in chunks("# T\n\n## B\n\nthree four\n", limit=2)}
    after = {
        chunk.text: chunk.id for chunk in chunks("# T\n\n## A\n\none two\n\n## B\n\nthree four\n", limit=2)
    }
    assert after["three four"] == before["three four"]


def test_repeated_paragraphs_have_ids_of_their_own():
    found = chunks("same words\n\nsame words\n", limit=2)
    assert len({chunk.id for chunk in found}) == 2


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab 退货。.\n#-|>`!？，\t*1", max_size=400).filter(
        lambda text: any(c.isalnum() for c in text)
    ),
    st.integers(min_value=3, max_value=40),
)
def test_spans_are_exact_ordered_and_lose_no_word(text, limit):
    for reader in (read_markdown, read_plain):
        found = chunks(text, limit=limit, reader=reader)
        assert all(a.end <= b.start for a, b in pairwise(found))
        kept = [word for chunk in found for word in words(f"{chunk.heading} {chunk.text}")]
        assert set(words(text)) <= set(kept)
