"""The command's reference, written from its own help: `python -m dialog.cli.reference > docs/cli.md`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import typer

from dialog.cli.calibrate import PLAIN
from dialog.cli.main import PROGRAM, application

HEAD = """\
# The command `instructrec`

Written by `python -m dialog.cli.reference > docs/cli.md` from the command's own help; a test compares
the two.

Exit codes: 0 fine; 1 the thing asked for could not be done (or a gate failed); 2 usage, configuration or
bad data; 3 a component crashed; 4 inconclusive; 130 interrupted. Results are on stdout, remarks, progress
(only on a terminal) and errors on stderr.
"""


def reference() -> str:
    """Markdown: the help of the command and of each verb, as a terminal 100 columns wide shows it."""
    return HEAD + "".join(f"\n## {title}\n\n```text\n{text}```\n" for title, text in _pages())


def _pages() -> Iterator[tuple[str, str]]:
    app, _ = application()
    yield PROGRAM, _help()
    for info in app.registered_commands:
        assert info.name is not None
        yield f"{PROGRAM} {info.name}", _help(info.name)
    for group in app.registered_groups:
        assert isinstance(group.name, str)
        yield f"{PROGRAM} {group.name}", _help(group.name)
        assert isinstance(group.typer_instance, typer.Typer)
        for info in group.typer_instance.registered_commands:
            assert info.name is not None
            if info.name != PLAIN:  # that one's help is the group's
                yield f"{PROGRAM} {group.name} {info.name}", _help(group.name, info.name)


def _help(*words: str) -> str:
    """Each help in its own process: it is what a user gets, whatever this process has loaded."""
    finished = subprocess.run(
        [sys.executable, "-m", "dialog", *words, "--help"],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "100", "INSTRUCTREC_PLUGINS": "", "PYTHONUTF8": "1"},
    )
    return finished.stdout


if __name__ == "__main__":
    sys.stdout.write(reference())
