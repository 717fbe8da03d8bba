"""The report: what it shows, and that nothing a reply says is obeyed."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from dialog.replay.report.differ import marked
from dialog.replay.report.shown import html
from tests.replay.browser import Browser, program
from tests.replay.conftest import TALKS, report, talk

HOSTILE = (
    "</div></section><script>alert(1)</script><img src=http://127.0.0.1:9/x onerror=alert(2)>"
    "\x1b[31m \x00 \u202egnp.exe &amp; ]]> '\"`|*_# 9"
)
needs_browser = pytest.mark.skipif(program() is None, reason="no Chromium is installed")


@pytest.fixture
def hostile(command, transcripts, bot, tmp_path):
    """A report of a comparison whose questions, answers, tags and ids are hostile."""
    odd = talk(HOSTILE.replace("\x00", ""), (HOSTILE, HOSTILE), tags=[HOSTILE], meta={"intent": HOSTILE})
    agent_a = bot("a", f"text = {HOSTILE!r} if len(turn['conversation_id']) > 9 else 'At 10.'")
    agent_b = bot("b", "text = ANSWERS.get(turn['messages'][-1]['content'], 'x')")
    path = transcripts(odd, *TALKS)
    gates = ("--fail-on", "success<-0.02", "--fail-on", "mean_ms>100000")
    command(
        "replay", path, "--agent", agent_a, "--against", agent_b, *gates, "--report-dir", tmp_path / "out"
    )
    return tmp_path / "out"


class Elements(HTMLParser):
    """The tags and attribute names of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}


def test_nothing_that_was_said_becomes_an_element(hostile):
    text = (hostile / "report.html").read_text("utf-8")
    elements = Elements(text)
    assert elements.tags.count("script") == 1
    assert "img" not in elements.tags
    assert not {name for name in elements.attributes if name.startswith("on")} | (
        elements.attributes & {"src", "style"}
    )
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_policy_allows_the_pages_own_script_and_style_alone(hostile):
    text = (hostile / "report.html").read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    for kind, element in (("script-src", "script"), ("style-src", "style")):
        body = re.search(f"<{element}>(.*?)</{element}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_junit_fails_as_the_verdict_does(hostile):
    root = ElementTree.parse(hostile / "junit.xml").getroot()
    gates, conversations = root
    assert [(case.get("name"), case[0].tag if len(case) else "") for case in gates] == [
        ("success<-0.02", "failure"),
        ("mean_ms>100000", ""),
    ]
    assert (gates.get("failures"), conversations.get("failures")) == ("1", "0")
    assert len(conversations) == 4
    outputs = [case.findtext("system-out") for case in conversations]
    assert sum("number: says 10" in (output or "") for output in outputs) == 3


def test_markdown_keeps_its_tables_whatever_was_said(hostile):
    text = (hostile / "report.md").read_text("utf-8")
    lines = text.splitlines()
    assert lines[0] == "## Replay: FAIL: success\\<-0.02"
    rows = [line for line in lines if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", row)) in (4, 6, 9) for row in rows)
    assert "<script>" not in text


def test_the_worst_regression_stands_first(hostile):
    text = (hostile / "report.html").read_text("utf-8")
    headings = re.findall(r"<h3>(.*?), turn", text)
    assert len(headings) == 6
    assert headings[0] == "zh-1"  # another number, and in English
    assert {one["agent"] for one in report(hostile)["failures"]} == {"a"}


def test_differences_are_marked_word_by_word_and_character_by_character():
    assert marked("within 30 days", "within 14 days") == (
        "within <mark>30</mark> days",
        "within <mark>14</mark> days",
    )
    assert marked("不可以退货", "可以退货") == ("<mark>不</mark>可以退货", "可以退货")
    assert marked("<b>", "<i>") == ("&lt;<mark>b</mark>&gt;", "&lt;<mark>i</mark>&gt;")


def test_very_long_answers_are_shown_unmarked_and_cut():
    left, right = marked("a b " * 50_000, "退" * 50_000)
    assert "<mark>" not in left + right
    assert right.endswith("… (cut: 50000 characters in all)")


def test_invisible_characters_are_named():
    assert html("\u202eabc\x07\n<") == "⟨U+202E⟩abc⟨U+0007⟩\n&lt;"


@pytest.fixture
def opened(hostile, tmp_path):
    with Browser(tmp_path / "profile") as browser:
        browser.open(hostile / "report.html")
        yield browser


SHOWN = "[...document.querySelectorAll('.turn:not([hidden]) h3')].length"


def choose(name, value):
    return (
        f"(() => {{ const box = document.querySelector('[data-filter={name}]');"
        f"if (box.type === 'checkbox') box.checked = {str(bool(value)).lower()}; else box.value = {value!r};"
        "box.dispatchEvent(new Event('change')); })()"
    )


@needs_browser
def test_in_a_browser_the_page_works_asks_nobody_and_runs_nothing_foreign(opened, hostile):
    assert opened.evaluate("document.getElementById('count').textContent") == "6 of 6 turns"
    assert opened.requests == [(hostile / "report.html").as_uri()]
    assert opened.complaints == []
    assert opened.evaluate("document.querySelectorAll('img, script').length") == 1
    assert (
        opened.evaluate("getComputedStyle(document.querySelector('.verdict')).color") == "rgb(255, 255, 255)"
    )


@needs_browser
def test_in_a_browser_filters_hide_turns(opened):
    opened.evaluate(choose("language", "zh"))
    assert opened.evaluate(SHOWN) == 2
    opened.evaluate(choose("failed", True))
    assert opened.evaluate(SHOWN) == opened.evaluate(
        "[...document.querySelectorAll('.turn')].filter((turn) => turn.dataset.failed === '1' "
        "&& turn.dataset.language.includes('zh')).length"
    )
    opened.evaluate(choose("failed", False))
    opened.evaluate(choose("language", ""))
    opened.evaluate(choose("tag", "hours"))
    assert opened.evaluate(SHOWN) == 1


@needs_browser
@pytest.mark.parametrize("width", [400, 1300])
def test_in_a_browser_nothing_overflows_sideways(opened, hostile, width):
    opened.open(hostile / "report.html", width=width)
    assert opened.evaluate(SHOWN) == 6
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
