"""One thing the page lists and its filters can hide: a turn, or a free conversation."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dialog.replay.report.shown import html as escaped


@dataclass(frozen=True)
class Item:
    """What the filters look at, and the content as HTML."""

    html: str
    tags: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    has_failed: bool = False

    @property
    def filtered(self) -> dict[str, tuple[str, ...]]:
        """Values by the name of their filter."""
        return {
            "tag": self.tags,
            "intent": self.intents,
            "language": self.languages,
            "failure": self.kinds,
            "ending": self.endings,
        }

    @property
    def section(self) -> str:
        """The content as a section that the page's filters can hide."""
        data = " ".join(
            f'data-{name}="{escaped(json.dumps(values, ensure_ascii=False))}"'
            for name, values in self.filtered.items()
        )
        return f'<section class="turn" data-failed="{int(self.has_failed)}" {data}>\n{self.html}\n</section>'
