"""`replay promote` and `rollback`: a gate, one rename, and the way back."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dialog.config import load_config
from dialog.errors import ConfigError
from dialog.opening import Opening
from dialog.replay.promotion import promote, rollback
from dialog.testing import ScriptedModel
from tests.replay.conftest import TALKS

LIVE = '[model]\nname = "live"\n[store]\nurl = "sqlite:///live.db"\n'
NEW = '[model]\nname = "new"\nadapter = "runs/7"\n[knowledge]\npath = "index-2"\n[store]\nurl = "sqlite:///x.db"\n'


@pytest.fixture
def files(tmp_path):
    live, new = tmp_path / "live.toml", tmp_path / "new.toml"
    live.write_text(LIVE, encoding="utf-8")
    new.write_text(NEW, encoding="utf-8")
    return live, new


def test_what_changes_replies_is_switched_and_the_store_stays(files):
    live, new = files
    switched = promote(live, new)
    values = load_config(live, environment={}).values
    assert (values.model.name, values.model.adapter, values.knowledge.path) == ("new", "runs/7", "index-2")
    assert values.store.url == "sqlite:///live.db"
    assert switched.after == values.fingerprint == load_config(new, environment={}).values.fingerprint
    assert switched.kept.read_text("utf-8") == LIVE


def test_rolling_back_goes_one_promotion_back_at_a_time_and_then_no_further(files):
    live, new = files
    promote(live, new)
    second = live.read_text("utf-8")
    new.write_text('[model]\nname = "newest"\n', encoding="utf-8")
    promote(live, new)
    rollback(live)
    assert live.read_text("utf-8") == second
    rollback(live)
    assert live.read_text("utf-8") == LIVE
    with pytest.raises(Exception, match="nothing to go back to"):
        rollback(live)


def test_a_new_file_that_is_no_configuration_changes_nothing(files):
    live, new = files
    new.write_text("[model]\nnmae = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"model\.nmae"):
        promote(live, new)
    assert live.read_text("utf-8") == LIVE


@pytest.mark.parametrize("at", ["mkdir", "fsync", "replace"])
def test_killed_at_any_step_leaves_the_old_file_or_the_new_one(files, at):
    """Every call of `at` in turn is the last one the process lives to begin."""
    live, new = files
    program = (
        "import os, pathlib, signal, sys\n"
        "from dialog.replay.promotion import promote\n"
        "left = [int(sys.argv[4])]\n"
        "holder = os if sys.argv[3] == 'fsync' else pathlib.Path\n"
        "real = getattr(holder, sys.argv[3])\n"
        "def dying(*given, **named):\n"
        "    left[0] -= 1\n"
        "    if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(*given, **named)\n"
        "setattr(holder, sys.argv[3], dying)\n"
        "promote(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
    )
    seen = set()
    for survived in range(6):
        live.write_text(LIVE, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", program, live, new, at, str(survived)],
            check=False,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        name = load_config(live, environment={}).values.model.name
        seen.add(name)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    assert name == "new"
    assert seen <= {"live", "new"}
    rollback(live)
    assert load_config(live, environment={}).values.model.name == "live"


@pytest.fixture
def models(monkeypatch):
    """`live` answers wrongly in both languages, `new` rightly."""
    right = {one["messages"][0]["content"]: one["messages"][1]["content"] for one in TALKS}

    def opened(self):
        name = self._config.values.model.name
        said = "Within 14 days. 14 天内。"
        return ScriptedModel(
            lambda prompt: (
                next((a for q, a in right.items() if q in prompt), "At 9.") if name == "new" else said
            )
        )

    monkeypatch.setattr(Opening, "_model", property(opened))


def test_promote_runs_the_gate_and_switches_only_if_it_holds(command, transcripts, files, models):
    live, new = files
    new.write_text('[model]\nname = "new"\n', encoding="utf-8")
    options = ("--agent", new, "--live", live, "--fail-on")
    refused = command("replay", "promote", transcripts(), *options, "success<2", "--json")
    assert (refused.code, json.loads(refused.out)["live"]) == (1, None)
    assert live.read_text("utf-8") == LIVE
    undecided = command("replay", "promote", transcripts(), *options, "success<-0.1@95")
    assert (undecided.code, live.read_text("utf-8")) == (4, LIVE)
    held = command("replay", "promote", transcripts(), *options, "success<0.5")
    assert held.code == 0, held.err
    assert "PASS: the gate holds" in held.out
    assert load_config(live, environment={}).values.model.name == "new"
    back = command("replay", "rollback", "--live", live)
    assert (back.code, live.read_text("utf-8")) == (0, LIVE)
    assert command("replay", "rollback", "--live", live).code == 1


def test_promote_needs_a_gate_and_configurations(command, transcripts, files, bot):
    live, new = files
    assert command("replay", "promote", transcripts(), "--agent", new, "--live", live).code == 2
    options = ("--live", live, "--fail-on", "success<1")
    result = command("replay", "promote", transcripts(), "--agent", bot("a"), *options)
    assert (result.code, "only configurations go live" in result.err) == (2, True)
