"""The page of a run: figures of both sides, curves, and nothing of a name that a browser would obey."""

from __future__ import annotations

from typing import Any

from training.evaluation import Evaluated, summary
from training.page import page

BEFORE = [Evaluated(id="客服-1", loss=40.0, weight=10.0), Evaluated(id="<script>1", loss=30.0, weight=10.0)]
AFTER = [Evaluated(id="客服-1", loss=20.0, weight=10.0), Evaluated(id="<script>1", loss=35.0, weight=10.0)]


def card(**changed: Any) -> dict[str, Any]:
    data = {
        "supervised": 5,
        "tokens": 9,
        "refused": {"无回复 <b>": 2},
        "notes": {},
        "files": {"a&b": "ab" * 32},
    }
    reports = [
        {"step": 2, "train_loss": 4.0, "valid_loss": 3.5},
        {"step": 4, "train_loss": 3.0, "valid_loss": None},
    ]
    made = {
        "method": "decoder",
        "model": "tiny",
        "parameters": 1234,
        "steps": 4,
        "seconds": 2.0,
        "data": {"train": data},
        "before": summary(BEFORE),
        "after": summary(AFTER),
        "reports": reports,
        "options": {"lr": 0.1},
        "versions": {},
        "dtype": "float32",
        "device": "cpu",
    }
    return made | changed


def test_the_page_shows_both_sides_and_the_curves() -> None:
    shown = page(card(), before=BEFORE, after=AFTER)
    assert "3.5000<td class=n>2.7500" in shown
    assert 'class="train" points="320.0,44.0 596.0,196.0"' in shown
    assert 'class="valid" points="320.0,120.0"' in shown
    assert shown.index("&lt;script&gt;1") < shown.index("客服-1")  # what lost comes first


def test_no_name_is_obeyed() -> None:
    shown = page(card(), before=BEFORE, after=AFTER)
    assert "<script" not in shown
    assert "无回复 &lt;b&gt;" in shown
    assert "a&amp;b" in shown
    assert "default-src 'none'" in shown


def test_a_run_without_anything_held_out_has_a_page_too() -> None:
    shown = page(card(before=summary([]), after=summary([]), reports=[]), before=[], after=[])
    assert "n/a" in shown
    assert "<svg" not in shown
