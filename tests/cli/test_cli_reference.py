"""docs/cli.md is what the command's help says."""

import re
from pathlib import Path

from dialog.cli.main import built_in
from dialog.cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_reference_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference(), "python -m dialog.cli.reference > docs/cli.md"


def test_every_verb_of_the_contract_has_its_common_options():
    page = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## instructrec ([a-z ]+)\n\n```text\n(.*?)```", page, re.M | re.S))
    verbs = {name: text for name, text in sections.items() if "Commands:" not in text}
    assert {"chat", "ask", "index", "search", "render", "history list", "models pull", "doctor"} <= set(verbs)
    for name, text in verbs.items():
        for option in ("--config FILE", "--set SECTION.KEY=VALUE", "--quiet", "--traceback"):
            assert option in text, f"{name} lacks {option}"


def test_verbs_of_the_other_packages_are_in_it():
    page = PAGE.read_text(encoding="utf-8")
    wanted = "inspect convert scrub check split mix synth intents faq accept formats"
    for name in wanted.split():
        assert f"## instructrec data {name}\n" in page


def test_built_in_verbs_are_those_of_the_contract():
    app = built_in()
    names = [info.name for info in app.registered_commands] + [info.name for info in app.registered_groups]
    assert sorted(names) == sorted(
        [
            "chat",
            "ask",
            "index",
            "search",
            "render",
            "history",
            "replay",
            "skill",
            "choices",
            "models",
            "config",
            "doctor",
        ]
    )
