"""The command's reference, written from its own help: `python -m dialog.cli.reference > docs/cli.md`.

Verbs that this distribution registers as plug-ins are in it, as `data`; those of others are not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import typer
from typer.testing import CliRunner

from dialog import plugins
from dialog.cli.calibrate import PLAIN
from dialog.cli.main import GROUP, PROGRAM, built_in, join

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


def own() -> typer.Typer:
    """The command with everything this distribution brings, whatever else is installed.

    Raises:
        RuntimeError: a verb of ours does not load.
    """
    before = os.environ.get(plugins.VARIABLE)
    os.environ[plugins.VARIABLE] = ""
    try:
        loaded = plugins.load(GROUP)
    finally:
        if before is None:
            del os.environ[plugins.VARIABLE]
        else:
            os.environ[plugins.VARIABLE] = before
    app = built_in()
    if broken := [*loaded.broken, *join(app, loaded.found)]:
        raise RuntimeError(f"{broken[0].name} does not load: {broken[0].error}; mend it first")
    return app


def _pages() -> Iterator[tuple[str, str]]:
    app = own()
    yield PROGRAM, _help(app)
    for info in app.registered_commands:
        assert info.name is not None
        yield f"{PROGRAM} {info.name}", _help(app, info.name)
    for group in app.registered_groups:
        assert isinstance(group.name, str)
        yield f"{PROGRAM} {group.name}", _help(app, group.name)
        assert isinstance(group.typer_instance, typer.Typer)
        for info in group.typer_instance.registered_commands:
            assert info.name is not None
            if info.name != PLAIN:  # that one's help is the group's
                yield f"{PROGRAM} {group.name} {info.name}", _help(app, group.name, info.name)


def _help(app: typer.Typer, *words: str) -> str:
    shown = CliRunner().invoke(app, [*words, "--help"], prog_name=PROGRAM, terminal_width=100)
    assert shown.exit_code == 0, shown.output
    return shown.stdout


if __name__ == "__main__":
    sys.stdout.write(reference())
