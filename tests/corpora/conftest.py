"""Files to read, and the command `data` as it is joined."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corpora.cli import app
from dialog import plugins
from dialog.cli.main import main

Write = Callable[..., Path]


@dataclass(frozen=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("a.jsonl", value, ...)` writes JSON lines, or one text or bytes as they are; `.gz` is packed."""

    def written(name: str, *values: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if len(values) == 1 and isinstance(values[0], (str, bytes)):
            content = values[0].encode() if isinstance(values[0], str) else values[0]
        else:
            content = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in values).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return written


@pytest.fixture
def data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Result]:
    """`data("convert", "a", "--out", "b")` in this process, joined as the entry point joins it."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    load, names = plugins.load, plugins.names

    def loaded(group: str, *, only: str | None = None) -> plugins.Loaded:
        return plugins.Loaded({"data": app}) if group == "instructrec.commands" else load(group, only=only)

    monkeypatch.setattr(plugins, "load", loaded)
    monkeypatch.setattr(
        plugins, "names", lambda group: ["data"] if group == "instructrec.commands" else names(group)
    )

    def run(*arguments: object) -> Result:
        code = main(["data", *map(str, arguments)])
        shown = capfd.readouterr()
        return Result(code, shown.out, shown.err)

    return run
