"""Every snippet of the README and the docs runs, and shows what it says it shows."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from snippets import ROOT, Snippet, as_shown, commands, documents, run_command, run_python, snippets

from dialog import home as places

ALL = [snippet for path in documents() for snippet in snippets(path)]
RUN = [snippet for snippet in ALL if snippet.mark != "not run"]


@pytest.fixture
def home(tmp_path):
    """An empty home that shares the cache of fetched models with the user's."""
    folder = tmp_path / "home"
    folder.mkdir()
    cache = places.cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    (folder / "cache").symlink_to(cache, target_is_directory=True)
    return folder


@pytest.fixture
def folder(tmp_path):
    """A working directory like a fresh clone: the examples lie in it."""
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "examples", clone / "examples")
    return clone


@pytest.mark.model
@pytest.mark.parametrize(
    "snippet", [one for one in RUN if one.language == "python"], ids=lambda one: one.name
)
def test_python_snippet_runs(snippet, home, folder):
    finished = run_python(snippet, home=home, folder=folder)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.model
@pytest.mark.parametrize(
    "snippet", [one for one in RUN if one.language == "console"], ids=lambda one: one.name
)
def test_console_snippet_runs_and_shows_its_output(snippet, home, folder):
    for command in commands(snippet.body):
        finished = run_command(command, home=home, folder=folder)
        assert finished.returncode == 0, f"$ {command.line}\n{finished.stdout}{finished.stderr}"
        if snippet.mark != "output varies" and command.shown.strip():
            assert as_shown(finished.stdout, command.shown), f"$ {command.line} printed:\n{finished.stdout}"


def test_a_marked_block_is_found_with_its_mark(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# T\n\n<!-- not run: needs a GPU -->\n```python\n1 / 0\n```\n\n```python\nok = 1\n```\n")
    assert snippets(page) == [
        Snippet(page, 4, "python", "1 / 0\n", "not run"),
        Snippet(page, 8, "python", "ok = 1\n", None),
    ]


def test_a_comment_that_is_not_directly_above_excuses_nothing(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- not run: far away -->\n\n```python\n1 / 0\n```\n")
    assert [snippet.mark for snippet in snippets(page)] == [None]


def test_failing_python_snippet_fails(tmp_path):
    snippet = Snippet(tmp_path / "page.md", 1, "python", "1 / 0\n", None)
    finished = run_python(snippet, home=tmp_path, folder=tmp_path)
    assert finished.returncode == 1
    assert "ZeroDivisionError" in finished.stderr


def test_console_block_is_split_into_commands_and_outputs():
    body = "$ echo one\none\n$ true\n$ printf 'a\\nb\\n'\na\n...\n"
    assert [(command.line, command.shown) for command in commands(body)] == [
        ("echo one", "one\n"),
        ("true", ""),
        ("printf 'a\\nb\\n'", "a\n...\n"),
    ]


@pytest.mark.parametrize(
    ("output", "shown", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nb\nc\n", "a\n...\nc\n", True),
        ("a\nc\n", "a\n...\nc\n", True),
        ("a\nb\n", "a\n...\nc\n", False),
        ("a (1)\n", "a .1.\n", False),
    ],
)
def test_shown_output_is_compared_line_by_line(output, shown, same):
    assert as_shown(output, shown) is same


def test_the_command_of_a_console_block_is_ours(tmp_path):
    (command,) = commands("$ instructrec --version\n")
    finished = run_command(command, home=tmp_path, folder=tmp_path)
    assert finished.stdout.startswith("instructrec ")
