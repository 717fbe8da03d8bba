"""Run the command in this process or in its own, and install plug-ins that nobody has."""

import json
import os
import shutil
import subprocess
import sys
import types
from dataclasses import dataclass

import pytest

from dialog.cli.main import main
from dialog.testing import HashEmbedder, ScriptedModel


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path):
    """No test reads or writes the user's files or settings."""
    for name in [name for name in os.environ if name.startswith("INSTRUCTREC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(capfd):
    """`command("search", "x")` in this process, so that fakes can be put in place."""

    def run(*arguments):
        code = main(list(arguments))
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def process():
    """`process("search", "x")` as a user starts it."""

    def run(*arguments, stdin=b"", **environment):
        finished = subprocess.run(
            [sys.executable, "-m", "dialog", *arguments],
            input=stdin,
            capture_output=True,
            env=os.environ | environment,
            timeout=120,
            check=False,
        )
        return Result(finished.returncode, finished.stdout.decode(), finished.stderr.decode())

    return run


@pytest.fixture
def install(tmp_path, monkeypatch):
    """`install("acme", {"instructrec.commands": {"hello": "acme:app"}}, source)`: a distribution."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def add(name, entry_points, source=""):
        (site / f"{name}.py").write_text(source, encoding="utf-8")
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = []
        for group, points in entry_points.items():
            lines += [f"[{group}]", *(f"{point} = {target}" for point, target in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return site

    return add


@pytest.fixture
def model(monkeypatch):
    """The configured model is this script, which finds what it says in the passages."""
    scripted = ScriptedModel(lambda prompt: "Returns are free within 30 days.")
    engine = types.ModuleType("dialog.engine.load")
    engine.open_model = lambda section, **_: scripted
    monkeypatch.setitem(sys.modules, "dialog.engine.load", engine)
    return scripted


@pytest.fixture
def light_embedder(monkeypatch):
    """Knowledge is embedded by hashing, so that no weights are read."""
    hash_embeddings(monkeypatch)


def hash_embeddings(monkeypatch):
    for module in ("embed", "base", "index"):
        monkeypatch.setattr(f"dialog.knowledge.{module}.open_embedder", lambda name: HashEmbedder())


@pytest.fixture(scope="session")
def indexed(tmp_path_factory):
    """A home in which two documents are indexed, to be copied."""
    root = tmp_path_factory.mktemp("indexed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("INSTRUCTREC_HOME", str(root / "home"))
        hash_embeddings(monkeypatch)
        assert main(["index", str(write_documents(root / "shop")), "--quiet"]) == 0
    return root


def write_documents(folder):
    folder.mkdir()
    (folder / "returns.md").write_text("# Returns\n\nReturns are free within 30 days.\n", encoding="utf-8")
    (folder / "退货.md").write_text("# 退货\n\n七天内可以免费退货。\n", encoding="utf-8")
    return folder


@pytest.fixture
def shop(indexed, tmp_path, light_embedder, monkeypatch):
    """A folder with two documents, and an index of it that always answers."""
    shutil.copytree(indexed / "home", tmp_path / "home", dirs_exist_ok=True)
    monkeypatch.setenv("INSTRUCTREC_KNOWLEDGE__MIN_CONFIDENCE", "0.0")
    return indexed / "shop"


@pytest.fixture
def own_shop(tmp_path, light_embedder, command):
    """The same, for tests that change the documents."""
    folder = write_documents(tmp_path / "shop")
    assert command("index", str(folder), "--quiet").code == 0
    return folder


@pytest.fixture
def lines(tmp_path):
    """`lines("a.jsonl", {"id": ...}, ...)` writes a file of JSON lines and gives its name."""

    def write(name, *values):
        path = tmp_path / name
        texts = (value if isinstance(value, str) else json.dumps(value) for value in values)
        path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def question():
    """A batch line: earlier messages as (role, content), then the user's."""

    def make(id, text, *before):
        messages = [{"role": role, "content": content} for role, content in before]
        return {"id": id, "messages": [*messages, {"role": "user", "content": text}]}

    return make
