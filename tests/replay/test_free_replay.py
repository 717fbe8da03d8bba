"""`instructrec replay --mode free` as a user runs it: talks, ends, worlds, resuming, the gap."""

import json
import sys

import pytest

from dialog.config import load_config
from dialog.events import ActionProposed
from dialog.metrics.judged import Action
from dialog.replay.agents.configured import ConfiguredAgent
from dialog.replay.environments.environment import acted, digest_of
from dialog.replay.environments.opened import named
from dialog.replay.environments.shop import sample_shop
from dialog.replay.free.running import Cast
from dialog.replay.free.scenario import Scenario
from dialog.replay.free.talk import Task, talk
from dialog.replay.free.user import Over, ScriptedUser
from dialog.replay.free.worded import ModelUser
from dialog.skill import SkillSpec
from dialog.testing import ScriptedModel
from dialog.values import Sampling
from tests.replay.conftest import report, without_times
from tests.replay.conftest import talk as line

METRICS = "success,goals_met,loops,turns,diverged,turns_on_script,token_f1"
SHOP = "dialog.replay.environments.shop:sample_shop"
TALKS = (
    line(
        "en",
        ("Hi, where is my parcel?", "Could you give me your order number?"),
        ("It is MK-10482.", "Order MK-10482 was shipped on 3 May."),
        ("And what does a return cost?", "A return costs $6."),
        tags=["parcel"],
    ),
    line(
        "zh",
        ("我的包裹到哪了？", "请提供您的订单号。"),
        ("MK-20481", "订单 MK-20481 已于5月3日发货。"),
        ("退货运费多少？", "退货运费 20 元。"),
        tags=["包裹"],
    ),
)
BOTS = """
def good(turn):
    said = turn["messages"][-1]["content"]
    is_zh = not said.isascii()
    if "MK-" in said:
        is_zh = is_zh or "MK-2" in said
        return "订单 MK-20481 已于5月3日发货。" if is_zh else "MK-10482 was shipped on 3 May."
    if "cost" in said or "运费" in said:
        return "需要 20 元。" if is_zh else "You pay $6."
    return "请问您的订单号是多少？" if is_zh else "What is your order number, please?"

def stuck(turn):
    return "One moment." if turn["messages"][0]["content"].isascii() else "请稍等。"

def chatty(turn):
    return f"I am number {turn['turn']}."

def torn(turn):
    raise RuntimeError("broken")

def cancels(turn):
    last = turn["messages"][-1]
    assert {tool["name"] for tool in turn["tools"]} >= {"cancel_order", "find_order"}
    if last["role"] == "user":
        number = "MK-20481" if "MK-20481" in last["content"] else "MK-10481"
        return {"text": "", "actions": [{"name": "cancel_order", "arguments": {"order_no": number}}]}
    return "Done." if "result" in last["content"] else "I could not do it."

def looks(turn):
    if turn["messages"][-1]["role"] == "user":
        return {"text": "", "actions": [{"name": "find_order", "arguments": {"order_no": "MK-10481"}}]}
    return "It is paid."
"""
CANCEL = [
    {
        "id": name,
        "messages": [{"role": "user", "content": say}],
        "meta": {
            "scenario": {
                "goals": [{"say": say}],
                "actions": [{"name": "cancel_order", "arguments": {"order_no": number}}],
            }
        },
    }
    for name, say, number in (
        ("en", "Please cancel MK-10481.", "MK-10481"),
        ("zh", "请取消订单 MK-20481。", "MK-20481"),
    )
]


@pytest.fixture(autouse=True)
def _tiny_metrics():
    """Free replay is shown with the real metrics."""


@pytest.fixture
def bots(tmp_path, monkeypatch):
    """`bots("good")`: an agent file for one of the callables above."""
    (tmp_path / "free_bots.py").write_text(BOTS, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "free_bots", raising=False)

    def make(name):
        path = tmp_path / f"{name}.toml"
        path.write_text(f'[agent]\nkind = "python"\ntarget = "free_bots:{name}"\n', encoding="utf-8")
        return path

    return make


@pytest.fixture
def free(command, transcripts, tmp_path):
    """`free(agent, ...)`: the command's result and its report."""

    def run(agent, *options, lines=TALKS, out="free"):
        folder = tmp_path / out
        asked = ("--mode", "free", "--metrics", METRICS, "--agent", agent, "--report-dir", folder)
        result = command("replay", transcripts(*lines), *asked, *options)
        return result, report(folder) if (folder / "report.json").exists() else None

    return run


def turns(folder):
    return [json.loads(one) for one in (folder / "turns.jsonl").read_text("utf-8").splitlines()]


def test_a_good_agent_satisfies_and_keeps_to_the_script(free, bots):
    result, found = free(bots("good"))
    assert result.code == 0, result.err
    assert (found["mode"], found["endings"]) == ("free", {"a": {"satisfied": 2}})
    assert found["failures"] == []  # an order number alone is in the user's language
    scores = {
        name: found["metrics"][name]["a"] for name in ("success", "goals_met", "loops", "turns", "diverged")
    }
    assert scores == {"success": 1, "goals_met": 1, "loops": 0, "turns": 3, "diverged": 0}
    assert found["metrics"]["turns_on_script"]["a"] == 3
    assert found["metrics"]["token_f1"]["a"] is None  # nothing is compared with what was said then


def test_the_agents_own_history_is_what_it_is_asked_from(free, bots, tmp_path):
    free(bots("chatty"))
    later = [one for one in turns(tmp_path / "free") if one["turn"] == 1]
    assert {one["messages"][1]["content"] for one in later} == {"I am number 0."}


def test_an_agent_that_says_the_same_again_and_again_is_a_loop(free, bots):
    result, found = free(bots("stuck"))
    assert found["endings"] == {"a": {"loop": 2}}
    assert (found["metrics"]["loops"]["a"], found["metrics"]["success"]["a"]) == (1, 0)
    assert "loop 2" in result.out


def test_an_agent_that_never_says_what_is_wanted_is_given_up(free, bots):
    _, found = free(bots("chatty"))
    assert found["endings"] == {"a": {"gave_up": 2}}
    assert found["metrics"]["diverged"]["a"] == 1
    assert found["metrics"]["turns_on_script"]["a"] == 2


def test_a_conversation_ends_after_the_most_turns(free, bots):
    _, found = free(bots("chatty"), "--max-turns", "2")
    assert found["endings"] == {"a": {"limit": 2}}


def test_an_agent_that_never_answers_ends_with_3(free, bots):
    result, found = free(bots("torn"))
    assert (result.code, found["endings"]) == (3, {"a": {"failed": 2}})


def test_what_an_agent_says_of_its_own_success_does_not_count(free, bots, tmp_path):
    agent = bots("boasts")
    (tmp_path / "free_bots.py").write_text(
        'def boasts(turn):\n    return {"text": f"No. {turn[\'turn\']}", "succeeded": True}\n',
        encoding="utf-8",
    )
    _, found = free(agent)
    assert found["metrics"]["success"]["a"] == 0


def test_success_is_the_end_state_whatever_the_path(free, bots):
    _, found = free(bots("cancels"), "--environment", SHOP, lines=CANCEL)
    assert (found["metrics"]["success"]["a"], found["endings"]) == (1, {"a": {"satisfied": 2}})
    _, found = free(bots("looks"), "--environment", SHOP, lines=CANCEL, out="looks")
    assert found["metrics"]["success"]["a"] == 0


def test_an_annotated_action_that_the_environment_refuses_is_told(free, bots):
    lines = [{**CANCEL[0], "meta": {"scenario": {**CANCEL[0]["meta"]["scenario"]}}}]
    lines[0]["meta"]["scenario"]["actions"] = [{"name": "cancel_order", "arguments": {"order_no": "MK-1"}}]
    result, found = free(bots("looks"), "--environment", SHOP, lines=lines)
    assert (
        "the environment refuses an annotated action: en: cancel_order: there is no order 'MK-1'"
        in result.err
    )
    assert "the environment refuses 1 annotated actions" in found["notes"]


def test_neither_workers_nor_seeds_order_change_a_digit(free, bots):
    _, one = free(bots("chatty"), "--against", bots("good"), "--seeds", "3", out="one")
    _, many = free(
        bots("chatty"),
        "--against",
        bots("good"),
        "--seeds",
        "3",
        "--workers",
        "4",
        lines=TALKS[::-1],
        out="4",
    )
    for found in (one, many):
        del found["data"]
    assert without_times(one) == without_times(many)
    assert one["metrics"]["success"]["difference"] == -1


def test_a_conversation_that_was_cut_short_is_had_again_from_its_beginning(free, bots, tmp_path):
    _, first = free(bots("good"))
    path = tmp_path / "free" / "turns.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:20], encoding="utf-8")
    result, again = free(bots("good"))
    assert "1 of 2 conversations were had before; 1 are left" in result.err
    assert without_times(again) == without_times(first)


def test_a_folder_of_forced_answers_takes_no_free_ones(free, command, transcripts, bots, tmp_path):
    agent = ("--agent", bots("good"), "--metrics", "success")
    command("replay", transcripts(*TALKS), *agent, "--report-dir", tmp_path / "free")
    result, _ = free(bots("good"))
    assert result.code == 2
    assert "the mode" in result.err


def test_the_gap_to_a_forced_replay_is_told_and_other_agents_are_refused(
    free, command, transcripts, bots, tmp_path
):
    agent = ("--agent", bots("stuck"), "--metrics", "success")
    command("replay", transcripts(TALKS[0]), *agent, "--report-dir", tmp_path / "forced")
    _, found = free(bots("stuck"), "--gap-to", tmp_path / "forced", lines=TALKS[:1])
    assert found["gap"]["success"]["a"] == 0
    assert found["gap"]["success"]["b"] == 1  # no turn of its own is wrong: it only never ends
    assert "Gap to forced replay" in (tmp_path / "free" / "report.md").read_text("utf-8")
    result, _ = free(bots("good"), "--gap-to", tmp_path / "forced", out="other")
    assert (result.code, "another agent A" in result.err) == (2, True)


def test_only_failed_conversations_are_had_again(free, bots, tmp_path):
    free(bots("chatty"))
    before = len(turns(tmp_path / "free"))
    _, found = free(bots("chatty"), "--only-failed")
    assert len(turns(tmp_path / "free")) == 2 * before
    assert any("were had again" in note for note in found["notes"])


def test_a_free_replay_is_rescored_without_its_transcripts(free, command, bots, transcripts, tmp_path):
    _, found = free(bots("good"))
    result = command(
        "replay", "--rescore", tmp_path / "free", "--metrics", METRICS, "--report-dir", tmp_path / "again"
    )
    assert (result.code, without_times(report(tmp_path / "again"))) == (0, without_times(found))
    result = command("replay", transcripts(*TALKS), "--rescore", tmp_path / "free")
    assert result.code == 2


def test_free_options_belong_to_free_replay(command, transcripts, bots):
    result = command("replay", transcripts(*TALKS), "--agent", bots("good"), "--environment", SHOP)
    assert (result.code, "--mode free" in result.err) == (2, True)


class Cancels:
    """A skill that proposes what the user asks for."""

    spec = SkillSpec(name="cancels", description="cancels orders")

    def matches(self, turn):
        return 1.0

    def run(self, turn):
        number = next(word.strip(".。") for word in turn.text.split() if "MK-" in word)
        yield ActionProposed(name="cancel_order", arguments={"order_no": number}, reason="asked for")
        yield from turn.answer()


@pytest.mark.parametrize(
    ("say", "number"), [("Cancel MK-10481", "MK-10481"), ("请取消 MK-20481", "MK-20481")]
)
def test_a_skill_of_a_configured_agent_acts_in_the_world(monkeypatch, say, number):
    from dialog.opening import Opening

    monkeypatch.setattr(Opening, "_model", ScriptedModel(lambda prompt: "It is done."))
    monkeypatch.setattr(Opening, "_skills", [Cancels()])
    agent = ConfiguredAgent(load_config(overrides=["skills.default=cancels"]), tools=sample_shop({}).tools())
    action = Action(name="cancel_order", arguments={"order_no": number})
    scenario = Scenario.model_validate({"goals": [{"say": say}], "actions": [action.model_dump()]})
    task = Task("c", scenario)
    world, refused = Cast(environment=sample_shop).world(task)
    assert refused == ()
    user = ScriptedUser(scenario, seed=0, conversation_id="c", reached=world.is_reached)
    try:
        with agent.conversation(seed=0, environment=world.environment) as answer:
            found = talk(task, answer, user=user, world=world, max_turns=3)
    finally:
        agent.close()
    assert [one.name for one in found[0].given.actions] == ["cancel_order"]
    assert (found[-1].course.ended, found[-1].given.succeeded) == ("satisfied", True)


def test_the_end_state_of_the_shop_ignores_looking_and_knows_refusals():
    looked, fresh = named(SHOP)({}), sample_shop({})
    looked.call("find_order", {"order_no": "mk-10481"})
    assert digest_of(looked) == digest_of(fresh)
    change = Action(name="change_address", arguments={"order_no": "MK-10482", "address": "x"})
    assert acted(looked, [change]) == ("change_address: order MK-10482 is shipped, not paid",)
    assert digest_of(looked) == digest_of(fresh)


@pytest.mark.parametrize(("language", "place"), [("en", 0), ("zh", 1)])
def test_a_model_plays_the_user_and_its_goals_are_checked_all_the_same(language, place):
    from dialog.replay.free.scenario import scenario_of
    from dialog.values import Transcript

    scenario = scenario_of(Transcript.model_validate(TALKS[place]))
    model = ScriptedModel(["mine", "[DONE]"])
    user = ModelUser(scenario, model=model, sampling=Sampling(max_tokens=20), limit_tokens=2000)
    assert user.opening() == scenario.goals[0].say
    assert user.hears("?") == "mine"
    assert user.hears(scenario.goals[0].wants) == Over(how="satisfied")
    assert user.share_met == 0.5
    told = model.prompts[-1].text
    assert scenario.facts[0].say in told
    assert told.index("?") < told.index("mine") < told.index(scenario.goals[0].wants)
