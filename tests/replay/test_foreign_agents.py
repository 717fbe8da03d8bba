"""Commands and callables as agents: what they are told, and what becomes of those that misbehave."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dialog.errors import ConfigError
from dialog.replay.agents.described import open_agent
from dialog.replay.agents.function import FunctionAgent
from dialog.replay.asked import questions
from dialog.values import Transcript
from tests.replay.conftest import TALKS


@pytest.fixture
def answers():
    """`answers(path)`: what the agent gives to each turn of the first English and the Chinese talk."""
    opened = []

    def ask(path):
        agent = open_agent(path)
        opened.append(agent)
        given = []
        for line in TALKS[:2]:
            with agent.session(seed=0) as answer:
                given += [answer(turn) for turn in questions(Transcript.model_validate(line)).asked]
        return given

    yield ask
    for agent in opened:
        agent.close()


def test_a_command_answers_line_by_line_in_both_languages(bot, answers):
    given = answers(bot("good"))
    assert [one.text for one in given] == ["Within 30 days.", "It is free.", "7 天内。", "我们出。"]
    assert all(one.failure is None and one.latency_s is not None for one in given)


FAILING = {
    "crash": ("sys.exit('out of 内存')", "crash", "ended with code 1; stderr: out of 内存"),
    "noise": ("print('loading model'); text = 'x'", "crash", "no JSON"),
    "list": ("print('[1]', flush=True); continue", "crash", "is a list, not a JSON object"),
    "shape": ("text = 5", "crash", "text: Input should be a valid string"),
    "deep": ("print('[' * 100000, flush=True); continue", "crash", "no JSON"),
    "empty": ("text = '  '", "empty", "the text is empty"),
}


@pytest.mark.parametrize("name", list(FAILING))
def test_a_command_that_misbehaves_at_one_turn_answers_the_next(bot, answers, name):
    misdeed, kind, told = FAILING[name]
    body = f"if turn['conversation_id'] == 'en-1' and turn['turn'] == 0: {misdeed}\nelse: text = 'fine'"
    first, *others = answers(bot(name, body))
    assert (first.text if name != "empty" else None, first.failure) == (None, kind)
    assert told in first.detail
    assert [one.text for one in others] == ["fine"] * 3


def test_a_command_that_does_not_answer_in_time_is_restarted(bot, answers):
    body = "if turn['turn'] == 0: continue\ntext = str(os.getpid())"
    first, second, third, fourth = answers(bot("slow", body, timeout_s=1.0))
    assert [one.failure for one in (first, second, third, fourth)] == ["timeout", None, "timeout", None]
    assert "no answer within 1 s" in first.detail
    assert second.text != fourth.text


def test_a_command_that_reads_nothing_does_not_hold_the_replay_up(tmp_path, answers):
    path = tmp_path / "deaf.toml"
    path.write_text('[agent]\nkind = "command"\ncommand = ["sleep", "1000"]\ntimeout_s = 0.2\n')
    assert [one.failure for one in answers(path)] == ["timeout"] * 4


def test_the_seed_is_in_the_childs_environment(bot):
    agent = open_agent(bot("seeded", "text = os.environ['INSTRUCTREC_REPLAY_SEED']"))
    (turn, _) = questions(Transcript.model_validate(TALKS[0])).asked
    said = []
    for seed in (0, 3):
        with agent.session(seed=seed) as answer:
            said.append(answer(turn).text)
    agent.close()
    assert said == ["0", "3"]


def test_a_program_that_does_not_exist_ends_the_replay(tmp_path):
    path = tmp_path / "none.toml"
    path.write_text('[agent]\nkind = "command"\ncommand = ["no-such-program"]\n')
    with pytest.raises(ConfigError, match="'no-such-program' cannot be started"):
        open_agent(path)


def test_a_script_beside_the_file_is_found_from_anywhere(bot, answers, tmp_path, monkeypatch):
    bot("good")
    path = tmp_path / "near.toml"
    path.write_text(f'[agent]\nkind = "command"\ncommand = ["{sys.executable}", "good.py"]\n')
    monkeypatch.chdir("/")
    assert answers(path)[0].text == "Within 30 days."


def test_a_changed_script_is_another_agent(bot):
    path = bot("a", "text = 'x'")
    with_x = open_agent(path)
    bot("a", "text = 'y'")
    with_y = open_agent(path)
    for agent in (with_x, with_y):
        agent.close()
    assert with_x.fingerprint != with_y.fingerprint


@pytest.fixture
def function(tmp_path, request):
    """`function(source)`: an agent file for the callable `answer` of a module of this test's own."""

    def make(source):
        module = f"bot_{request.node.name}".replace("[", "_").replace("]", "")
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        path = tmp_path / "python.toml"
        path.write_text(f'[agent]\nkind = "python"\ntarget = "{module}:answer"\ntimeout_s = 1.0\n')
        return path

    return make


def test_a_callable_may_answer_with_text_or_with_more(function, answers):
    given = answers(
        function(
            "def answer(turn):\n"
            "    last = turn['messages'][-1]['content']\n"
            "    return last if turn['turn'] else {'text': last, 'state': {'天': 7}, 'more': 1}\n"
        )
    )
    assert [one.text for one in given] == [
        "How long may I return it?",
        "And the fee?",
        "几天内可以退货？",
        "运费谁出？",
    ]
    assert (given[0].state, given[1].state) == ({"天": 7}, None)


def test_a_callable_that_raises_or_hangs_fails_its_turn(function, answers):
    given = answers(
        function(
            "import threading\n"
            "def answer(turn):\n"
            "    if turn['conversation_id'] == 'zh-1': raise SystemExit('坏了')\n"
            "    if turn['turn'] == 0: threading.Event().wait()\n"
            "    return 'fine'\n"
        )
    )
    assert [one.failure for one in given] == ["timeout", None, "crash", "crash"]
    assert given[2].detail == "SystemExit: 坏了"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[agent]\nkind = "comand"\ncommand = ["x"]\n', "agent"),
        ('[agent]\nkind = "command"\ncommand = []\n', "agent.command"),
        ('[agent]\nkind = "python"\ntarget = "nothing"\n', "is not of the form package.module:callable"),
        ('[agent]\nkind = "python"\ntarget = "no_such_module:f"\n', "cannot be imported"),
        ('[agent]\nkind = "python"\ntarget = "json:__name__"\n', "which cannot be called"),
        ('[agent]\nkind = "command"\ncommand = ["x"]\n[model]\nname = "y"\n', "has no section [model]"),
        ("[agent\n", "is not valid TOML"),
        ('[modle]\nname = "x"\n', "did you mean"),
    ],
)
def test_a_file_that_describes_no_agent_says_what_is_wrong(tmp_path, content, told):
    path = tmp_path / "a.toml"
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        open_agent(path)
    assert told in str(caught.value)


def test_closing_lets_nobody_wait_for_a_hanging_callable():
    called = threading.Event()

    def hang(turn):
        called.set()
        threading.Event().wait()

    agent = FunctionAgent(hang, timeout_s=1000, fingerprint={})
    (turn, _) = questions(Transcript.model_validate(TALKS[0])).asked

    def ask():
        with agent.session(seed=0) as answer:
            return answer(turn)

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(ask)
        called.wait()
        agent.close()
        assert waiting.result(timeout=30).failure == "crash"
