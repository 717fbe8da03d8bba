"""Every numbered example runs as its reader would run it, and shows what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dialog.home import cache_dir

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9]*.py"))

each_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of its own for all scripts, which share the index they build; fetched models are lent to it."""
    folder = tmp_path_factory.mktemp("home")
    models = cache_dir()
    models.mkdir(parents=True, exist_ok=True)
    (folder / "cache").symlink_to(models, target_is_directory=True)
    return folder


@pytest.fixture
def run(home):
    def run_script(name, *arguments):
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("INSTRUCTREC_")
        }
        finished = subprocess.run(
            [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
            cwd=home,
            env={**environment, "INSTRUCTREC_HOME": str(home), "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
            timeout=240,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return run_script


@each_script
def test_script_is_short_and_says_how_to_run_it(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert f"python examples/{path.name}" in text.split('"""')[1]


def test_scripts_are_numbered_without_gaps_and_all_are_listed():
    assert [int(path.name[:2]) for path in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))
    listed = re.findall(r"^\| `(\d\d_\w+\.py)`", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.M)
    assert listed == [path.name for path in SCRIPTS]


@pytest.mark.model
@pytest.mark.slow
def test_ask_answers_in_both_languages_from_the_shop(run):
    english, chinese = run("01_ask.py").split("> ")[1:]
    assert "$14" in english
    assert re.search(r"\[(shipping\.en\.md|faq\.en\.csv#shipping)\]", english)
    assert "12 元" in chinese
    assert "(quoted)" in chinese
    assert re.search(r"\[(returns\.zh\.md|faq\.zh\.jsonl#退换货)\]", chinese)


@pytest.mark.model
@pytest.mark.slow
def test_stream_shows_the_events_of_a_turn_in_order(run):
    out = run("02_stream.py")
    marks = ["searched: ", "skill: answer", "prompt: ", "first token after"]
    assert [out.count(mark) for mark in marks] == [1, 1, 1, 1]
    assert sorted(marks, key=out.index) == marks
    assert "faq.en.csv#services: Do you rent out tents?" in out
    assert "$80" in out


@pytest.mark.slow
def test_knowledge_finds_what_was_asked_and_abstains_otherwise(run):
    english, contextual, foreign = run("03_knowledge.py").split("\n> ")[1:]
    assert "skillet.en.md" in english
    assert "faq.zh.jsonl#服务" in contextual
    assert "does not know" in foreign.splitlines()[0]
    assert "enough to answer" in english.splitlines()[0]


@pytest.mark.slow
def test_knowledge_takes_a_folder_and_a_question_of_ones_own(run, tmp_path):
    (tmp_path / "notes.md").write_text(
        "# Bees\n\nThe hive is opened on warm days in May.\n", encoding="utf-8"
    )
    out = run("03_knowledge.py", tmp_path, "When do you open the hive?")
    assert "1 documents, 1 chunks; 1 new" in out
    assert "notes.md" in out


def test_history_goes_back_and_forth_and_loses_nothing(run):
    out = run("04_history.py")
    found, undone, redone, forked = re.findall(
        r"^(?:found again|after undo|after redo|a fork): (\d)", out, re.M
    )
    assert (found, undone, redone, forked) == ("2", "1", "2", "2")
    assert "the original is as it was: 2 turns" in out
    assert out.rstrip().endswith("And to Canada?  ->  Canada takes 7–10 working days.")


def test_own_model_tests_pass_as_a_script_and_under_pytest(run):
    assert run("05_own_model.py").strip() == "both tests pass"
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-o",
            "addopts=",
            "-p",
            "no:cacheprovider",
            EXAMPLES / "05_own_model.py",
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert finished.returncode == 0, finished.stdout
    assert "2 passed" in finished.stdout


def test_transcripts_marks_the_agents_own_words_only(run, tmp_path):
    file = tmp_path / "one.jsonl"
    file.write_text(
        '{"id": "c", "messages": [{"role": "user", "content": "能退吗"}, '
        '{"role": "assistant", "content": "可以"}, {"role": "user", "content": "thanks"}]}\n',
        encoding="utf-8",
    )
    out = run("06_transcripts.py", file)
    assert "»可以" in out
    assert out.count("»") == out.count("«") == 1
    assert "thanks" not in out.split("»")[1].split("«")[0]


def test_transcripts_makes_examples_of_all_sample_conversations(run):
    out = run("06_transcripts.py")
    assert re.search(r"^20 conversations in \d\d+ examples$", out, re.M)
    assert "left out" not in out
