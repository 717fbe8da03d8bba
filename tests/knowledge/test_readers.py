"""Formats to documents: blocks with exact spans, headings as path, FAQ entries apart."""

import json

import pytest

from dialog.knowledge.documents import RawFile
from dialog.knowledge.encoding import NotText
from dialog.knowledge.readers import BUILT_IN
from dialog.knowledge.records import Loaded, Skip


def read(name, content):
    data = content if isinstance(content, bytes) else content.encode()
    suffix = "." + name.rsplit(".")[-1]
    return list(BUILT_IN[suffix](RawFile(source=name, key=f"/kb/{name}", data=data)))


def one(name, content) -> Loaded:
    (item,) = read(name, content)
    assert isinstance(item, Loaded)
    return item


def shown(loaded):
    """(path, text) of every block."""
    return [(block.path, loaded.document.text[block.start : block.end]) for block in loaded.blocks]


def test_markdown_headings_are_the_path():
    loaded = one("a.md", "# Returns\n\nFree.\n\n## Exceptions\n\nGift cards.\n\n# 保修\n\n一年。\n")
    assert shown(loaded) == [
        (("Returns",), "Free."),
        (("Returns", "Exceptions"), "Gift cards."),
        (("保修",), "一年。"),
    ]


def test_markdown_keeps_the_file_text_and_reads_front_matter():
    text = "---\ntitle: 退货\nproduct: [tent, stove]\nupdated: 2025-01-02\nnested: {a: 1}\n---\n正文。\n"
    loaded = one("a.md", text)
    assert loaded.document.text == text
    assert loaded.document.title == "退货"
    assert loaded.document.metadata == {"product": ["tent", "stove"], "updated": "2025-01-02"}
    assert shown(loaded) == [((), "正文。")]


def test_markdown_blocks_are_lists_tables_and_code():
    loaded = one(
        "a.md", "- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```\n\nSetext\n======\nend\n"
    )
    assert [(block.kind, loaded.document.text[block.start : block.end]) for block in loaded.blocks] == [
        ("list", "- one"),
        ("list", "- two"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("code", "```\nx = 1\n```"),
        ("text", "end"),
    ]
    assert loaded.blocks[-1].path == ("Setext",)


def test_markdown_title_is_the_first_top_heading_without_its_markup():
    assert one("a.md", "intro\n\n# The **big** [guide](x.md)\n\ntext\n").document.title == "The big guide"
    assert one("guide.md", "text\n").document.title == "guide"


def test_heading_with_nothing_below_is_kept():
    assert shown(one("a.md", "# Shop\n\n## Closed on Sundays\n\n## Open\n\nnine\n"))[0] == (
        ("Shop",),
        "## Closed on Sundays",
    )


@pytest.mark.parametrize("front", ["---\n[broken\n---\ntext\n", "---\njust text\n---\nmore\n"])
def test_malformed_front_matter_is_text(front):
    loaded = one("a.md", front)
    assert loaded.document.metadata == {}
    assert loaded.document.text == front


def test_yaml_alias_bomb_is_harmless():
    bomb = "---\na: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(24)
    )
    assert one("a.md", f"{bomb}---\ntext\n").document.metadata["a"] == ["x", "x"]


def test_plain_text_takes_a_bare_line_above_a_paragraph_as_its_heading():
    loaded = one("hours.txt", "Opening hours\nWe open at nine.\n\n退货政策\n七天内可退。\n")
    assert shown(loaded) == [(("Opening hours",), "We open at nine."), (("退货政策",), "七天内可退。")]


def test_html_is_its_visible_text():
    page = (
        "<html><head><title>Returns</title><style>p{}</style></head><body><nav>Home</nav>"
        "<h1>Returns</h1><p>Within <b>30</b> days.</p><script>alert(1)</script><p hidden>secret</p>"
        "<h2>Fees</h2><ul><li>none</li></ul><table><tr><th>a</th></tr><tr><td>1</td></tr></table></body></html>"
    )
    loaded = one("a.html", page)
    assert loaded.document.title == "Returns"
    assert shown(loaded)[:2] == [(("Returns",), "Within 30 days."), (("Returns", "Fees"), "- none")]
    assert not any(word in loaded.document.text for word in ("alert", "secret", "Home", "<"))


def test_html_names_its_encoding():
    page = "<html><head><meta charset='gb2312'><title>退货</title></head><p>七天</p></html>".encode("gb2312")
    assert "七天" in one("a.html", page).document.text


def test_deeply_nested_html_is_no_crash(tmp_path):
    (tmp_path / "a.html").write_text("<div>" * 50_000 + "x")
    from dialog.knowledge.documents import read_sources

    (item,) = read_sources([tmp_path])
    assert isinstance(item, Skip | Loaded)


@pytest.mark.parametrize(
    "content",
    [
        "Question,Answer,Source,Updated\nHow?,So.,https://x/y,2025\n",
        "question;answer;source;updated\nHow?;So.;https://x/y;2025\n",
        "\ufeffQUESTION\tANSWER\tSource\tupdated\nHow?\tSo.\thttps://x/y\t2025\n",
        "问题,答案,来源,更新时间\nHow?,So.,https://x/y,2025\n",
    ],
)
def test_csv_faq_columns_are_found_whatever_their_form(content):
    loaded = one("faq.csv", content)
    (block,) = loaded.blocks
    assert block.path == ("How?",)
    assert loaded.document.text[slice(*block.answer)] == "So."
    assert block.source == "https://x/y"
    assert block.metadata == {"updated": "2025"}


def test_faq_entries_are_apart_and_exact():
    loaded = one("faq.csv", '问题,答案\n"怎么\n退货","七天，\n""无理由"""\n保修,一年\n')
    assert shown(loaded) == [
        (("怎么\n退货",), '怎么\n退货\n七天，\n"无理由"'),
        (("保修",), "保修\n一年"),
    ]
    assert [loaded.document.text[slice(*block.answer)] for block in loaded.blocks] == [
        '七天，\n"无理由"',
        "一年",
    ]


def test_faq_row_without_answer_is_listed():
    items = read("faq.csv", "question,answer\nHow?,\nWhen?,Now.\n")
    assert items[0] == Skip(source="faq.csv:2", reason="has no answer")
    assert len(items[1].blocks) == 1


def test_json_lines_faq_and_bad_lines():
    lines = [
        json.dumps({"Question": "How?", "Answer": "So.", "product": "tent"}),
        "{broken",
        "[1, 2]",
        '{"else": {"x": 1}}',
        "[" * 100_000,
    ]
    items = read("faq.jsonl", "\n".join(lines))
    loaded = items[-1]
    assert loaded.blocks[0].metadata == {"product": "tent"}
    listed = {item.source: item.reason for item in items[:-1]}
    assert set(listed) == {"faq.jsonl:2", "faq.jsonl:3", "faq.jsonl:4", "faq.jsonl:5"}
    assert listed["faq.jsonl:5"] == "is nested too deeply"


def test_records_are_documents_of_their_own():
    lines = [
        {"doc_id": "7", "title": "Fees", "content": "# Fees\n\nFive euro."},
        {"file": "x.json", "content": {"id": "8", "title": "Hours", "content": "Nine to six."}},
    ]
    items = read("dump.jsonl", "\n".join(json.dumps(line) for line in lines))
    assert [(item.document.source, item.document.title) for item in items] == [
        ("dump.jsonl#7", "Fees"),
        ("dump.jsonl#8", "Hours"),
    ]
    assert shown(items[0]) == [(("Fees",), "Five euro.")]


def test_records_with_one_id_stay_apart():
    lines = [{"id": "7", "text": "one"}, {"id": "7", "text": "two"}]
    keys = [item.key for item in read("dump.jsonl", "\n".join(json.dumps(line) for line in lines))]
    assert len(set(keys)) == 2


def test_lone_surrogate_becomes_harmless():
    loaded = one("faq.jsonl", '{"question": "How \\ud800?", "answer": "So.\\u0000"}')
    assert loaded.document.text.encode() == b"How ??\nSo.\n"


def test_other_csv_rows_are_readable_by_themselves():
    loaded = one("products.csv", "Product,Price\nTent,99\nStove,45\n")
    assert [text for _, text in shown(loaded)] == ["Product: Tent; Price: 99", "Product: Stove; Price: 45"]


def test_csv_with_one_huge_field_is_read():
    loaded = one("faq.csv", f"question,answer\nHow?,{'so ' * 200_000}\n")
    assert len(loaded.document.text) > 500_000


def test_file_without_text_is_refused():
    with pytest.raises(NotText):
        read("a.html", "<html><body></body></html>")
