"""The words of an HTML message: no scripts, no styles, no quoted mail; nothing is fetched or run.

plain_text("<p>Hello<br>there</p>")     # "Hello\\nthere"
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

MAX_CHARS = 2_000_000
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table", "hr"})
_HIDDEN = frozenset({"script", "style", "head", "title", "template", "noscript", "svg"})
_QUOTES = re.compile(
    r"gmail_quote|yahoo_quoted|moz-cite-prefix|protonmail_quote|zendesk_quote|divRplyFwdMsg", re.I
)
_VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "col", "area", "base", "source"})


def plain_text(html: str, *, drop_quotes: bool = True) -> str:
    """The visible text; at most the first `MAX_CHARS` characters of the markup are read."""
    words = _Words(drop_quotes)
    words.feed(html[:MAX_CHARS])
    words.close()
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(words.found).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Words(HTMLParser):
    """Collects text outside hidden and quoted elements."""

    def __init__(self, drop_quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._drop_quotes = drop_quotes
        self._hidden_by = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden_by:
            self._depth += tag == self._hidden_by
            return
        if tag in _HIDDEN or self._is_quote(tag, attrs):
            if tag not in _VOID:
                self._hidden_by, self._depth = tag, 1
        elif tag in _BREAKS:
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden_by:
            self._depth -= tag == self._hidden_by
            if not self._depth:
                self._hidden_by = ""
        elif tag in _BREAKS and tag not in _VOID:
            self.found.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden_by:
            self.found.append(data.replace("\r", "").replace("\n", " "))

    def _is_quote(self, tag: str, attrs: list[tuple[str, str | None]]) -> bool:
        if not self._drop_quotes:
            return False
        given = dict(attrs)
        return (tag == "blockquote" and given.get("type") == "cite") or any(
            _QUOTES.search(given.get(name) or "") for name in ("class", "id")
        )
