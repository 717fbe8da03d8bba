"""Draws `docs/terminal.svg`, the picture in the README: a scripted talk over the sample shop.

    python docs/make_screenshot.py

The pipeline, the passages and the drawing are the real ones; what the model
writes is scripted and the seconds are left out, so that the file is the same on
every machine (`python docs/make_screenshot.py --check` compares).
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from dialog import DialogAgent, load_config
from dialog.events import Finished, TextDelta
from dialog.repl.context import ReplSession
from dialog.repl.markdown import MarkdownStream
from dialog.repl.screen import plain
from dialog.repl.toolbar import toolbar
from dialog.repl.verbs.insight import show_context, show_sources
from dialog.repl.view import footer
from dialog.testing import ScriptedModel
from dialog.values import Message, Passage, Reply, SearchResult, Timings

DOCS = Path(__file__).parent
SHOP = DOCS.parent / "examples" / "shop"
PICTURE = DOCS / "terminal.svg"
WIDTH = 96

RETURNS = ("returns.en.md", "How long you have")
RETURNS_ZH = ("returns.zh.md", "退货期限")
TALK = (
    ("I changed my mind about a kettle. How long can I send it back?", RETURNS, show_context),
    ("退货要在几天内申请？", RETURNS_ZH, show_sources),
)


class ShopPassages:
    """Finds the section that each scripted question is about."""

    fingerprint = "shop"

    def search(
        self, query: str, *, top_k: int, history: Sequence[Message] = (), where: dict[str, Any] | None = None
    ) -> SearchResult:
        found = tuple(section(*about) for question, about, _ in TALK if question == query)
        return SearchResult(query=query, abstain=not found, confidence=0.9, passages=found)


def section(name: str, heading: str) -> Passage:
    """A section of a shop document, as the index would cut it; the first where there is no such heading."""
    text = (SHOP / name).read_text(encoding="utf-8").split("\n---\n", 1)[-1]
    sections = list(re.finditer(r"^## (.+)\n+((?:(?!^## ).*\n)*)", text, flags=re.M))
    chosen = next((one for one in sections if one.group(1) == heading), sections[0])
    body = chosen.group(2).strip().split("\n\n")[0]
    start = text.index(body)
    return Passage(
        id=f"{name}#{heading}",
        text=body,
        source=name,
        title=chosen.group(1),
        score=0.93,
        char_start=start,
        char_end=start + len(body),
    )


def draw() -> str:
    """The picture as SVG."""
    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        markup=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(overrides=[f"store.url=sqlite:///{folder}/talk.db"], environment={})
        model = ScriptedModel(lambda prompt: section(*RETURNS).text.split(". ")[0] + ".", languages=("en",))
        with DialogAgent(config, model=model, retriever=ShopPassages()) as agent:
            play(ReplSession(agent=agent, conversation_id="c-shop", console=console))
    return console.export_svg(
        title="instructrec chat", theme=MONOKAI, unique_id="instructrec", code_format=_without_fonts()
    )


def play(session: ReplSession) -> None:
    """The scripted talk."""
    for question, _, command in TALK:
        _prompt(session, question)
        page = MarkdownStream(session.console)
        for event in session.agent.stream(question, conversation_id=session.conversation_id):
            if isinstance(event, TextDelta):
                page.feed(event.text)
            elif isinstance(event, Finished):
                session.last = _untimed(event.reply)
        page.finish()
        session.show(_footer(session.reply()), "")
        _prompt(session, "/" + command.__name__.removeprefix("show_"))
        command(session, "")
        session.show("")
    _prompt(session, "")
    session.show(plain(toolbar(session, width=WIDTH), "dim"))


def _prompt(session: ReplSession, text: str) -> None:
    session.show(Text.assemble(("› ", "bold green"), text))


def _untimed(reply: Reply) -> Reply:
    """The reply without seconds: a picture's would be nobody's."""
    return reply.model_copy(update={"timings": Timings()})


def _footer(reply: Reply) -> Text:
    return plain(footer(reply, show_timings=False).plain.removesuffix(" · 0.0 s"), "dim")


def _without_fonts() -> str:
    """Rich's drawing without the fonts it would fetch from elsewhere."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    return re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.S)


def main(arguments: Iterable[str]) -> int:
    picture = draw()
    if "--check" in arguments:
        return 0 if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == picture else 1
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
