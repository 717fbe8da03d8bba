"""The usual agent, replayed over a scripted model: gold history, seeds, what its replies tell."""

import json
import sys
import types

import pytest

from dialog.config import load_config
from dialog.replay.agents.configured import ConfiguredAgent
from dialog.replay.asked import questions
from dialog.testing import ScriptedModel, tiny_model
from dialog.values import Transcript
from tests.replay.conftest import ANSWERS, TALKS, report, talk


@pytest.fixture
def model(monkeypatch):
    """`model(script)` is what every configuration opens."""

    def install(script, **options):
        scripted = ScriptedModel(script, **options)
        engine = types.ModuleType("dialog.engine.load")
        engine.open_model = lambda section, **_: scripted
        monkeypatch.setitem(sys.modules, "dialog.engine.load", engine)
        return scripted

    return install


@pytest.fixture
def agent():
    opened = []

    def make(*overrides, **options):
        config = load_config(overrides=overrides, environment={})
        opened.append(ConfiguredAgent(config, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def answers(agent, line, *, seed=0):
    with agent.session(seed=seed) as answer:
        return [answer(asked) for asked in questions(Transcript.model_validate(line)).asked]


@pytest.mark.parametrize("line", TALKS[:2], ids=["en", "zh"])
def test_the_model_is_shown_the_recorded_history_whatever_it_said(model, agent, line):
    prompts = []
    for reply in ("Something else entirely.", "完全不同的回答。"):
        scripted = model(lambda prompt, reply=reply: reply)
        given = answers(agent(), line)
        assert [one.text for one in given] == [reply, reply]
        prompts.append([prompt.text for prompt in scripted.prompts])
    assert prompts[0] == prompts[1]
    assert line["messages"][1]["content"] in prompts[0][1]
    assert line["messages"][1]["content"] not in prompts[0][0]


def test_each_seed_is_a_run_of_its_own(model, agent):
    scripted = model(lambda prompt: "Yes.")
    replayed = agent("sampling.seed=40")
    for seed in (0, 2):
        answers(replayed, TALKS[2], seed=seed)
    assert [sampling.seed for sampling in scripted.samplings] == [40, 42]
    assert scripted.prompts[0].text == scripted.prompts[1].text


def test_what_a_reply_tells_is_given(model, agent):
    model(lambda prompt: "At 9.")
    (given,) = answers(agent(scores=True, explains=True), TALKS[2])
    assert (given.failure, given.abstained, given.handed_off) == (None, False, False)
    assert given.latency_s is not None
    assert given.prompt_tokens > 0
    assert len(given.logprobs) > 0
    assert all(share.share > 0 for share in given.attribution)


def test_what_a_reply_rests_on_is_told_in_the_users_words(model, agent):
    model(lambda prompt: "运费我们出。")
    line = talk("zh", ("运费我们出吗？", "是的。"), ("再说一遍？", "运费我们出。"))
    given = answers(agent(explains=True), line)[-1]
    assert "运费我们出吗？" in [cause.segment for cause in given.attribution if cause.kind == "turn"]


def test_an_engine_that_fails_fails_its_turn_alone(model, agent):
    model(["Yes."])  # the second call has no answer
    first, second = answers(agent(), TALKS[0])
    assert (first.text, second.text) == ("Yes.", None)
    assert (second.failure, "the script has 1 answers" in second.detail) == ("crash", True)


def test_tools_and_wordless_calls_are_left_out_of_what_the_agent_is_shown(model, agent):
    scripted = model(lambda prompt: "Yes.")
    line = talk("c", ("Cancel it.", ""), ("Done?", "Yes."))
    line["messages"].insert(2, {"role": "tool", "content": "SECRET", "tool_call_id": "1"})
    given = answers(agent(), line)
    assert given[-1].text == "Yes."
    assert "SECRET" not in scripted.prompts[-1].text


def test_a_configuration_is_replayed_by_the_verb_and_its_store_left_alone(
    model, command, transcripts, bot, tmp_path
):
    model(lambda prompt: next(text for said, text in reversed(ANSWERS.items()) if said in prompt))
    config = tmp_path / "instructrec.toml"
    config.write_text('[model]\nname = "x"\n', encoding="utf-8")
    result = command(
        "replay",
        transcripts(),
        "--against",
        bot("b"),
        "--report-dir",
        tmp_path / "out",
        "--workers",
        "3",
        "--explain",
    )
    assert result.code == 0, result.err
    found = report(tmp_path / "out")
    assert found["fingerprints"]["a"]["kind"] == "config"
    assert found["fingerprints"]["a"]["model"] == "scripted"
    assert not (tmp_path / "home" / "data").exists()
    assert "rests on" in (tmp_path / "out" / "report.html").read_text("utf-8")
    saved = [json.loads(line) for line in (tmp_path / "out" / "turns.jsonl").read_text("utf-8").splitlines()]
    assert {one["agent"] for one in saved} == {"a", "b"}


def test_a_setting_on_the_command_line_reaches_the_agent(model, command, transcripts, tmp_path):
    model(lambda prompt: "Yes.")
    path = transcripts()
    command("replay", path, "--report-dir", tmp_path / "one")
    command("replay", path, "--report-dir", tmp_path / "two", "--set", "sampling.max_tokens=3")
    one, two = (report(tmp_path / name)["fingerprints"]["a"] for name in ("one", "two"))
    assert one["config"] != two["config"]


def test_a_real_engine_says_the_same_under_any_number_of_workers(monkeypatch, command, transcripts, tmp_path):
    tiny = tiny_model(context_tokens=2048)
    engine = types.ModuleType("dialog.engine.load")
    engine.open_model = lambda section, **_: tiny
    monkeypatch.setitem(sys.modules, "dialog.engine.load", engine)
    # one shop, asked by many: what conversations share may or may not be in the cache yet
    lines = [
        talk(f"{language}-{number}", *exchanges)
        for number in range(3)
        for language, exchanges in (
            ("en", (("How long may I return it?", "30 days."), (f"And order {number}?", "It is sent."))),
            ("zh", (("几天内可以退货？", "三十天。"), (f"订单 {number} 呢？", "已发货。"))),
        )
    ]
    said = []
    for workers, order in (("1", lines), ("4", lines[::-1])):
        out = tmp_path / workers
        options = ("--workers", workers, "--seeds", "2", "--report-dir", out)
        result = command(
            "replay",
            transcripts(*order),
            *options,
            *("--set", "sampling.max_tokens=12", "--set", "sampling.temperature=0.7"),
        )
        assert result.code == 0, result.err
        saved = [json.loads(line) for line in (out / "turns.jsonl").read_text("utf-8").splitlines()]
        said.append(
            {
                (one["conversation_id"], one["turn"], one.get("seed", 0)): one["given"].get("text")
                for one in saved
            }
        )
    assert said[0] == said[1]
    assert len(set(said[0].values())) > len(lines)
