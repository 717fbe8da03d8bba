"""`instructrec tune-search` on a tiny model: trials, going on, what is refused, what comes of it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from dialog import plugins
from dialog.cli.main import main
from tests.training.conftest import Result
from training.cli import app as tune_app
from training.search.cli import app as search_app

Search = Callable[..., Result]


@pytest.fixture
def search(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> Search:
    """`search("tune-search", "log.jsonl", ...)` in this process, with the verb `tune` beside it."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    verbs = {"tune": tune_app, "tune-search": search_app}
    monkeypatch.setattr(plugins, "load", lambda group, *, only=None: plugins.Loaded(dict(verbs)))
    monkeypatch.setattr(plugins, "names", lambda group: list(verbs))

    def run(*arguments: object) -> Result:
        quick = ["--set", "training.batch_tokens=300", "--set", "training.valid_share=0.3"]
        model = ["--set", f"model.name={model_folder}", "--set", "training.precision=fp32"]
        verb, *rest = map(str, arguments)
        code = main([verb, *quick, *model, *rest])
        shown = capfd.readouterr()
        return Result(code, shown.out, shown.err)

    return run


def found(result: Result) -> dict[str, Any]:
    assert result.code == 0, result.err
    told: dict[str, Any] = json.loads(result.out)
    return told


@pytest.mark.slow
def test_the_best_settings_are_there_for_tune_and_features_are_made_once(
    search: Search, log: Path, tmp_path: Path
) -> None:
    features = tmp_path / "features"
    result = search("tune-search", log, "--study", "study", "--trials", 2, "--cache", features)
    assert result.code == 0, result.err
    assert len(list(features.iterdir())) == 24
    assert "trial 2 of 2" in result.err
    assert "--config study/best.toml" in result.out
    told = found(search("tune-search", log, "--study", "study", "--trials", 2, "--json"))
    first, second = told["trials"]
    assert first["settings"] == {"lr": 1e-3, "rank": 192, "epochs": 8, "evidence": 0.5, "anchor": 0.5}
    assert second["settings"]["lr"] != first["settings"]["lr"]
    assert told["best"]["cross_entropy"] == min(first["cross_entropy"], second["cross_entropy"])
    best = tomllib.loads((tmp_path / "study" / "best.toml").read_text(encoding="utf-8"))
    assert best["training"].items() >= told["best"]["settings"].items()
    tuned = search(
        "tune", log, "--out", "tuned", "--config", "study/best.toml", "--set", "training.eval_turns=0"
    )
    assert tuned.code == 0, tuned.err
    card = json.loads((tmp_path / "tuned" / "training.json").read_text(encoding="utf-8"))
    assert card["after"]["cross_entropy"] == pytest.approx(told["best"]["cross_entropy"], rel=1e-6)


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_and_is_the_study_it_would_have_been(
    search: Search, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("tune-search", log, "--method", "lora", "--trials", 2, "--json")
    whole = found(search(*arguments, "--study", "whole"))
    num_reports = 0

    def killed(self: object, *_: object) -> None:
        nonlocal num_reports
        num_reports += 1
        if num_reports == whole["trials"][0]["epochs"] + 1:
            raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr("training.watching.Watching.report", killed)
        assert search(*arguments, "--study", "killed").code == 137
    assert found(search(*arguments, "--study", "killed")) == whole
    assert [one["state"] for one in whole["trials"]] == ["complete", "complete"]


@pytest.mark.slow
def test_what_is_worse_than_the_others_ends_early(search: Search, log: Path, tmp_path: Path) -> None:
    arguments = ("tune-search", log, "--method", "lora", "--study", "study", "--json")
    assert search(*arguments, "--trials", 1).code == 0
    study = optuna.load_study(
        study_name="tune-search", storage=f"sqlite:///{tmp_path / 'study' / 'study.db'}"
    )
    space = study.trials[0].distributions
    for lr in (1e-4, 2e-4, 3e-4):
        params = study.trials[0].params | {"lr": lr}
        good = dict.fromkeys(range(1, 7), 0.01)
        study.add_trial(
            optuna.trial.create_trial(
                value=0.01, params=params, distributions=space, intermediate_values=good
            )
        )
    told = found(search(*arguments, "--trials", 5))
    assert told["trials"][4]["state"] == "pruned"
    assert told["trials"][4]["epochs"] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--set", "training.valid_share=0"), "nothing is held out"),
        (("--set", "training.method=full"), "--method decoder and --method lora are searched, not full"),
        (("--method", "lora", "--set", "training.objective=dpo"), "leave out training.objective"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    search: Search, log: Path, more: tuple[str, ...], said: str
) -> None:
    result = search("tune-search", log, "--study", "study", *more)
    assert result.code == 2
    assert said in result.err


def test_a_study_of_something_else_is_not_gone_on_with(search: Search, log: Path) -> None:
    arguments = ("tune-search", log, "--method", "lora", "--study", "study", "--trials", 1)
    assert search(*arguments).code == 0
    result = search(*arguments, "--limit", 12)
    assert result.code == 2
    assert "begun with another data" in result.err
