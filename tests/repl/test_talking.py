"""Asking and being answered on a terminal."""

import pytest

from dialog.conversation import Conversation
from dialog.events import Finished, Notice, TextDelta
from dialog.repl.labels import labels_of
from dialog.testing import FixedRetriever, ScriptedModel
from dialog.testing.retrieve import passage
from dialog.values import SearchResult
from tests.repl.conftest import EventStream

pytestmark = pytest.mark.timeout(20)
LONG = ["sampling.max_tokens=100000"]


def after(shown: str, line: str) -> list[str]:
    """The lines below the last one that reads `line`, without the blank ones."""
    lines = shown.splitlines()
    at = max(number for number, text in enumerate(lines) if text == line)
    return [text for text in lines[at + 1 :] if text]


def streamed(talk, pieces, *, notices=()):
    """Let the agent's next turns stream exactly these pieces of text."""
    real = talk.agent.stream

    def stream(text, **options):
        *_, finished = real(text, **options)
        reply = finished.reply.model_copy(update={"text": "".join(pieces)})
        events = [*(TextDelta(text=piece) for piece in pieces), *(Notice(text=text) for text in notices)]
        return EventStream(lambda _: iter([*events, Finished(reply=reply)]))

    talk.agent.stream = stream
    return talk


def test_a_reply_is_shown_under_the_question(start):
    shown = start(["It takes **three** days."])("How long does it take?\r")
    assert after(shown, "› How long does it take?")[0] == "It takes three days."


def test_chinese_is_asked_and_answered(start):
    talk = start(["退货需在 **7 天**内申请，运费由买家承担。"])
    talk("退货要多久？\r")
    shown = "\n".join("".join(line.split()) for line in talk.terminal.lines)
    assert "›退货要多久？\n退货需在7天内申请，运费由买家承担。\n" in shown


def test_emphasis_and_code_are_styled_not_spelled(start):
    talk = start(["**Bold**, *slanted*, `code` and 5*3*2."])
    shown = talk("go\r")
    assert "Bold, slanted, code and 5*3*2." in shown
    assert "\x1b[1mBold" in talk.terminal.raw


def test_rich_markup_and_template_tokens_are_text(start):
    reply = "[/INST] [bold]x[/bold] [/] <|im_end|> :smile: [link=http://x]y[/link]"
    assert reply in start([reply], columns=100)("go\r")


def test_links_are_shown_and_never_clickable(start):
    talk = start(
        ["see [here](https://example.org)\n\n| a | b |\n|---|---|\n| [x](https://y.example) | 2 |\n"]
    )
    assert "https://example.org" in talk("go\r")
    assert "\x1b]8" not in talk.terminal.raw


def test_escapes_split_across_pieces_never_reach_the_terminal(start):
    pieces = [
        "safe \x1b",
        "]52;c;aGVs",
        "bG8=\x1b",
        "\\ and \x9b2",
        "J sound \x1b[",
        "31mred\x1b[0m",
        " bye\x07",
    ]
    talk = streamed(start(), pieces)
    shown = talk("go\r")
    assert "safe  and  sound red bye" in shown or "safe and sound red bye" in shown
    for attack in ("]52", "aGVs", "\x9b", "\x1b[2J", "\x07"):
        assert attack not in talk.terminal.raw


def test_a_carriage_return_cannot_overwrite_what_was_said(start):
    shown = start(["You owe 900.\rYou owe 1."])("go\r")
    assert after(shown, "› go")[:2] == ["You owe 900.", "You owe 1."]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (40, 10)])
def test_a_reply_longer_than_the_screen_shows_every_line_once(start, columns, rows):
    lines = [f"line {number:03} of the reply with **bold** and 中文 words" for number in range(200)]
    talk = start(["\n".join(lines)], columns=columns, rows=rows, overrides=LONG)
    shown = talk("go\r")
    assert [shown.count(f"line {number:03} ") for number in range(200)] == [1] * 200


def test_words_wrap_and_wide_characters_count_twice(start):
    talk = start(["退货需在七天内申请。" * 20, "word " * 60], columns=40, rows=10, overrides=LONG)
    talk("zh\ren\r")
    assert max(len(line) for line in talk.terminal.lines if set(line) <= set("word ")) <= 39
    rows = [line for line in talk.terminal.lines if line and set(line) <= set("退货需在七天内申请。 ")]
    assert len(rows) == -(-200 // 19)
    assert not any(line.startswith("。") for line in rows)


def test_a_table_is_shown_once_it_is_complete(start):
    shown = start(["Fees:\n\n| 国家 | fee |\n|---|---|\n| 中国 | 15 |\n| Japan | 200 |\n\ndone"])("go\r")
    assert shown.count("Japan") == 1
    assert "|" not in shown
    assert after(shown, "› go")[-2] == "done" or "done" in shown


def test_code_keeps_its_lines_and_spaces(start):
    shown = start(["```python\ndef f(x):\n    return [/INST] * 2\n```\nso"])("go\r")
    assert after(shown, "› go")[:3] == ["  def f(x):", "      return [/INST] * 2", "so"]


def test_a_narrower_window_is_noticed_within_the_reply(start):
    talk = start([f"{'wide ' * 30}\n\n{'slim ' * 30}"])
    talk.terminal.when("wide wide", lambda: talk.terminal.resize(40, 24))
    talk("go\r")
    assert max(len(line) for line in talk.terminal.lines if "slim" in line) <= 39


def test_notices_and_the_way_of_answering_stand_under_the_reply(start):
    talk = streamed(start(), ["Hello."], notices=["the draft was withheld: no passage supports it"])
    below = after(talk("go\r"), "› go")
    assert below[1] == "note: the draft was withheld: no passage supports it"
    assert below[2].endswith(" s")


def test_a_quoted_answer_says_so_and_names_its_sources(start):
    fees = passage("Returns are free within 30 days.", title="Returns", source="returns.md")
    talk = start(retriever=FixedRetriever([fees]), model=ScriptedModel(["Nonsense about whales."]))
    shown = talk("Are returns free?\r/sources\r")
    assert "quoted from the documents · 1 source (/sources)" in shown
    listed = after(shown, "› /sources")
    assert listed[0].startswith(" 1  Returns  returns.md:0-")
    assert listed[0].endswith("0.90")
    assert listed[1] == "    Returns are free within 30 days."


@pytest.mark.parametrize(
    ("question", "text", "where", "shown_as"),
    [
        ("Are returns free?", "Returns are free within 30 days.", {"page": 3, "last_page": 4}, ", pages 3-4"),
        ("退货免费吗？", "退货在三十天内免费。", {"sheet": "常见问题"}, ", sheet 常见问题"),
    ],
)
def test_sources_name_the_page_or_the_sheet(start, question, text, where, shown_as):
    found = passage(text, title="Returns", source="returns.pdf").model_copy(update=where)
    talk = start(retriever=FixedRetriever([found]), model=ScriptedModel(["Nonsense about whales."]))
    listed = after(talk(f"{question}\r/sources\r"), "› /sources")
    assert listed[0].startswith(f" 1  Returns  returns.pdf:0-{len(text)}{shown_as}")
    search = SearchResult(query=question, abstain=False, confidence=1.0, passages=(found,))
    assert labels_of(Conversation.empty("c"), search, None) == {found.id: f"Returns (returns.pdf{shown_as})"}


def test_timings_are_shown_where_asked_for(start):
    shown = start(["Yes."], overrides=["repl.show_timings=true"])("go\r")
    assert "retrieve 0.00, prefill" in shown


def test_a_failing_turn_is_one_line_and_the_talk_goes_on(start):
    failing = ScriptedModel(lambda prompt: "Fine." if "second" in prompt else 1 / 0)
    shown = start(model=failing)("first\rsecond\r")
    assert after(shown, "› first")[0] == "the turn failed: ZeroDivisionError: division by zero"
    assert "Traceback" not in shown
    assert after(shown, "› second")[0] == "Fine."


def test_a_traceback_is_shown_only_where_asked_for(start):
    shown = start(model=ScriptedModel(lambda prompt: 1 / 0))("first\r", show_tracebacks=True)
    assert "Traceback (most recent call last)" in shown


def test_two_slashes_send_one(start):
    talk = start(["A folder."])
    talk("//etc is what?\r", conversation_id="c-1")
    assert talk.agent.history("c-1").turns()[0].user == "/etc is what?"


def test_a_resumed_conversation_shows_where_it_stood(start):
    talk = start(["Three days.", "No fee."])
    talk("How long?\r", conversation_id="c-1")
    shown = talk("And the fee?\r", conversation_id="c-1")
    assert "c-1, 1 turn\n" in shown
    assert [turn.user for turn in talk.agent.history("c-1").turns()] == ["How long?", "And the fee?"]
