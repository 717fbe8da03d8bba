"""Every numbered example runs as its reader would run it, and shows what it promises."""

import asyncio
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from dialog.home import cache_dir

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9]*.py"))
NUMBERED = sorted((*SCRIPTS, *EXAMPLES.glob("[0-9]*.ipynb")))

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
    assert [int(path.name[:2]) for path in NUMBERED] == list(range(1, len(NUMBERED) + 1))
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\d\d_\w+\.(?:py|ipynb))`", readme, re.M)
    assert listed == [path.name for path in NUMBERED]


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


def test_actions_wait_for_a_person_and_what_cannot_be_done_says_so(run):
    english, chinese = run("07_actions.py").split("> ")[1:]
    assert "waiting: cancel_order {'order_no': 'MK-10482'}; {'MK-10482': 'packed'" in english
    assert "done: {'order_no': 'MK-10482', 'status': 'cancelled'}" in english
    assert "我已请店里为您取消。" in chinese
    assert "failed: ValueError: order MK-10517 cannot be cancelled any more" in chinese


def test_structured_gives_a_value_or_the_reasons(run):
    english, chinese, nothing = run("08_structured.py").split("> ")[1:]
    assert "problem='broken', wants_refund=True) after 2 attempts" in english
    assert "problem: problem: Input should be 'late', 'broken', 'wrong' or 'other'" in english
    assert "order_no='MK-10517', problem='late', wants_refund=False) after 1 attempts" in chinese
    assert "None after 1 attempts\n  problem: there is no complete JSON object" in nothing


@pytest.fixture
def served(tmp_path, monkeypatch):
    """`served("/reply", {...})`: an answer of the FastAPI example over a scripted model, and its agent."""
    pytest.importorskip("fastapi", reason="the extra serve is not installed")
    import httpx

    from dialog import DialogAgent, load_config
    from dialog.testing import ScriptedModel

    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path))
    app_for = runpy.run_path(str(EXAMPLES / "09_fastapi.py"))["app_for"]
    with DialogAgent(load_config(environment={}), model=ScriptedModel(["Two days.", "两天。"])) as agent:
        app = app_for(agent)

        async def post(path, message):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.post(path, json=message)

        yield lambda path, message: asyncio.run(post(path, message))


def test_fastapi_answers_once_for_one_key(served):
    asked = {"text": "How long does it take?", "conversation_id": "c", "turn_key": "k"}
    first, again = served("/reply", asked).json(), served("/reply", asked).json()
    assert first["text"] == "Two days."
    assert first == again


def test_fastapi_streams_the_events_of_a_turn(served):
    served("/reply", {"text": "How long does it take?"})
    answer = served("/stream", {"text": "要多久？"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds, data = zip(*re.findall(r"^event: (\w+)\ndata: (.+)\n\n", answer.text, re.M), strict=True)
    assert (kinds[0], kinds[-1]) == ("skill_called", "finished")
    assert json.loads(data[-1])["reply"]["text"] == "两天。"


@pytest.mark.parametrize("message", [{"text": ""}, {"text": "  "}, {}, {"text": "hi", "conversation_id": ""}])
def test_fastapi_refuses_what_is_no_message(served, message):
    assert served("/reply", message).status_code == 422


def test_notebook_runs_from_top_to_bottom(home, monkeypatch, capsys):
    monkeypatch.setenv("INSTRUCTREC_HOME", str(home))
    notebook = json.loads((EXAMPLES / "10_notebook.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in cells] == [[]] * len(cells)
    names: dict[str, object] = {}
    for cell in cells:
        exec("".join(cell["source"]), names)
    out = capsys.readouterr().out
    assert out.startswith("Express takes two days.")
    assert "1  寄到加拿大呢？  ->  寄往加拿大需要 7–10 个工作日。" in out
    assert re.search(r"^user +\d+ tokens$", out, re.M)


@pytest.mark.slow
def test_support_conducts_a_conversation_in_each_language(run):
    out = run("11_support.py")
    for said in (
        "> No, I meant MK-10483.\nCancel order MK-10483 (Slatefire 26)?",
        "no fee.\n\nCancel order MK-10482 (Wren 0.9)?",
        "> 不对，下周一\n订单 MK-10517，2026-03-03 签收，原因：损坏；快递员 2026-03-09 上门取件。对吗？",
        "waiting: cancel_order {'order_no': 'MK-10483'}",
        "客户需要：退货",
    ):
        assert said in out
