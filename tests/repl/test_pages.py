"""The page about the REPL and its picture say what the program does."""

import runpy
from pathlib import Path

from dialog.repl.commands import TABLE

DOCS = Path(__file__).parents[2] / "docs"


def test_every_command_is_on_the_page():
    page = (DOCS / "repl.md").read_text(encoding="utf-8")
    assert [command.name for command in TABLE if f"`{command.name}" not in page] == []


def test_the_picture_is_what_the_program_draws():
    draw = runpy.run_path(str(DOCS / "make_screenshot.py"))["draw"]
    assert (DOCS / "terminal.svg").read_text(encoding="utf-8") == draw(), "run python docs/make_screenshot.py"
