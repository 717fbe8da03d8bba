"""A tiny model in a folder, transcripts in both languages, and the verb `tune` as it is joined."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from transformers import PreTrainedModel

from dialog import plugins
from dialog.cli.main import main
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.testing.tiny import tiny_tokenizer, tiny_transformer
from dialog.values import Message, Transcript
from training.cli import app
from training.examples import Example, build_examples

CONTEXT_TOKENS = 512


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


def talk(number: int) -> Transcript:
    """The reply repeats a code from the question: only who looks back can know it."""
    code = "".join(Random(number).choices("BCDFGHJKLMNPQRSTVWXZ", k=3))
    asked, told = [("My code is {}.", "Code {}."), ("我的号码是{}。", "号码{}。")][number % 2]
    return Transcript(
        id=f"c-{number}",
        messages=(
            Message(role="user", content=asked.format(code)),
            Message(role="assistant", content=told.format(code)),
        ),
    )


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    tokenizer = HFChatTokenizer(tiny_tokenizer())
    built = [build_examples(talk(number), tokenizer, limit_tokens=400) for number in range(48)]
    return [example for one in built for example in one.examples]


@pytest.fixture
def fresh_model() -> PreTrainedModel:
    """Of its own for each test: methods change what they are given."""
    return tiny_transformer("llama", seed=1, context_tokens=CONTEXT_TOKENS)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-model")
    tiny_transformer("llama", seed=1, context_tokens=CONTEXT_TOKENS).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    lines = [talk(number).model_dump(mode="json", exclude_defaults=True) for number in range(24)]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def tune(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """`tune("log.jsonl", "--out", "b")` in this process with the tiny model, joined as entry points are."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    load, names = plugins.load, plugins.names

    def loaded(group: str, *, only: str | None = None) -> plugins.Loaded:
        return plugins.Loaded({"tune": app}) if group == "instructrec.commands" else load(group, only=only)

    monkeypatch.setattr(plugins, "load", loaded)
    monkeypatch.setattr(
        plugins, "names", lambda group: ["tune"] if group == "instructrec.commands" else names(group)
    )

    def run(*arguments: object) -> Result:
        model = ["--set", f"model.name={model_folder}", "--set", "training.precision=fp32"]
        code = main(["tune", "--set", "training.eval_turns=0", *map(str, arguments), *model])
        shown = capfd.readouterr()
        return Result(code, shown.out, shown.err)

    return run
