"""A small index over documents in both languages, with an embedder that has no weights."""

from datetime import date
from pathlib import Path

import pytest

from dialog.knowledge.base import open_knowledge
from dialog.knowledge.index import build_index
from dialog.knowledge.vectors import EXACT_LIMIT
from dialog.settings import KnowledgeSection
from dialog.testing import HashEmbedder

RETURNS = """---
title: Returns policy
product: tent
---
# Returns

You may return unused goods within 30 days. Shipping back costs 5 euro.

## Exceptions

Gift cards and perishables cannot be returned.
"""
FAQ_ZH = """问题,答案
怎么申请退货,签收后七天内可以无理由退货，运费由买家承担。
手机保修期多久,手机保修一年，电池保修半年。
"""
HOURS = "Opening hours\nWe open at nine and close at six on weekdays.\n"


class Shelf:
    """A folder of documents and the index over it."""

    def __init__(self, root: Path) -> None:
        self.documents = root / "documents"
        self.index = root / "index"
        self.section = KnowledgeSection(embedder="hash")
        self.embedder = HashEmbedder()
        self.today = date(2026, 3, 1)
        self.exact_limit = EXACT_LIMIT
        self.documents.mkdir(parents=True)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.documents / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def build(self, *sources: Path, section: KnowledgeSection | None = None, **options):
        return build_index(
            self.index,
            list(sources) or [self.documents],
            section or self.section,
            embedder=self.embedder,
            **options,
        )

    def open(self, **options):
        return open_knowledge(
            self.index,
            self.section,
            embedder=self.embedder,
            clock=lambda: self.today,
            exact_limit=self.exact_limit,
            **options,
        )

    def texts(self, query: str, **options) -> list[str]:
        with self.open() as knowledge:
            return [passage.text for passage in knowledge.search(query, top_k=5, **options).passages]


@pytest.fixture(scope="session")
def shelf_at():
    """`shelf_at(folder)`, for an index that several tests share."""
    return Shelf


@pytest.fixture
def shelf(tmp_path):
    """Empty."""
    return Shelf(tmp_path)


@pytest.fixture
def shop(shelf):
    """Three documents in both languages, indexed."""
    shelf.write("returns.md", RETURNS)
    shelf.write("faq.csv", FAQ_ZH)
    shelf.write("hours.txt", HOURS)
    shelf.build()
    return shelf
