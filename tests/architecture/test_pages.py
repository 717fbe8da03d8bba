"""Every source file is small, says what it owns, and leaves printing to those who talk to people."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("dialog", "skills", "corpora", "training")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in SOURCES]
MAX_LINES = 300
LONGER: dict[str, str] = {}
"""File -> why it may be longer than `MAX_LINES`. Empty, and meant to stay so."""
SPEAKERS = ("dialog/cli/", "dialog/repl/")

each_source = pytest.mark.parametrize("path", SOURCES, ids=NAMES)


@each_source
def test_file_is_at_most_300_lines(path):
    name = str(path.relative_to(ROOT))
    num_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert num_lines <= MAX_LINES or name in LONGER, f"{name} has {num_lines} lines: it is asking to be two"


@each_source
def test_module_says_what_it_owns(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@each_source
def test_only_the_command_line_and_the_repl_print(path):
    name = str(path.relative_to(ROOT))
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not calls or name.startswith(SPEAKERS) or name.endswith("/cli.py"), f"print at lines {calls}"


def test_no_long_file_is_excused_without_need():
    assert [name for name in LONGER if len((ROOT / name).read_text().splitlines()) <= MAX_LINES] == []


@each_source
def test_nothing_is_unpickled_and_no_remote_code_is_run(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
    }
    assert not imported & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    trusted = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "trust_remote_code"
    ]
    assert all(isinstance(value, ast.Constant) and value.value is False for value in trusted)
