"""Run the command in this process or in its own, and install plug-ins that nobody has."""

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from dialog.cli.main import main


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
