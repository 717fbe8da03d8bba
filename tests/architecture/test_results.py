"""A number in the documentation is the one that was measured."""

from benchmarks.report import PAGES, filled


def test_pages_show_the_saved_results():
    stale = [
        path.name for path in PAGES if filled(path.read_text(encoding="utf-8")) != path.read_text("utf-8")
    ]
    assert stale == [], "run: python -m benchmarks.report"
