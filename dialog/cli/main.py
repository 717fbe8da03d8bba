"""The command `instructrec`: the verbs, and what an error becomes.

Each verb is one small file beside this one; its heavy imports happen inside
the verb, so that `--help` costs nothing. Verbs of other packages join through
the entry points `instructrec.commands` and are loaded only when they are named
or listed.

    sys.exit(main(["search", "Where is my parcel?", "--json"]))
"""

from __future__ import annotations

import copy
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from dialog import plugins
from dialog.cli import (
    ask,
    chat,
    choices,
    config,
    doctor,
    history,
    index,
    models,
    output,
    render,
    replay,
    search,
    skill,
)
from dialog.errors import DialogError

PROGRAM = "instructrec"
GROUP = "instructrec.commands"
CRASHED = 3
INTERRUPTED = 130
READER_LEFT = 1
_VERB_FILES = (chat, ask, index, search, render, history, replay, skill, choices, models, config, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 fine; 1 the thing asked for could not be done; 2 usage, configuration or
    bad data; 3 a component crashed; 4 inconclusive; 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    output.prepare_streams()
    try:
        exit_code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        exit_code = _reader_left()
    return exit_code


def application(given: Sequence[str] = ()) -> tuple[typer.Typer, list[plugins.Broken]]:
    """The verbs that `given` may need, and the plug-in verbs that failed to load."""
    app = built_in()
    wanted = _named(given)
    if wanted in _names(app):
        return app, []
    loaded = plugins.load(GROUP, only=wanted if wanted in plugins.names(GROUP) else None)
    return app, [*loaded.broken, *join(app, loaded.found)]


def built_in() -> typer.Typer:
    """The command with its own verbs only."""
    app = typer.Typer(
        name=PROGRAM,
        help="Dialogue agents that answer from your documents, in Chinese and English.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: importing rich alone costs as much as all of the help
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_top)
    for module in _VERB_FILES:
        module.register(app)
    return app


def join(app: typer.Typer, found: Mapping[str, object]) -> list[plugins.Broken]:
    """Add plug-in Typer apps under their entry points' names; what does not fit is returned."""
    taken = _names(app)
    broken: list[plugins.Broken] = []
    for name, plugin in found.items():
        problem = _misfit(name, plugin, taken)
        if problem:
            broken.append(plugins.Broken(GROUP, name, repr(plugin), "", problem))
            continue
        assert isinstance(plugin, typer.Typer)
        if len(plugin.registered_commands) == 1 and not (
            plugin.registered_groups or plugin.registered_callback
        ):
            command = copy.copy(plugin.registered_commands[0])
            command.name = name
            app.registered_commands.append(command)
        else:
            app.add_typer(plugin, name=name)
    return broken


def _run(given: list[str]) -> int:
    try:
        app, broken = application(given)
        for plugin in broken:
            output.remark(f"plug-in {plugin.name!r} does not load: {plugin.error} (see {PROGRAM} doctor)")
        if _named(given) in {plugin.name for plugin in broken}:
            return CRASHED
        typer.main.get_command(app).main(args=given, prog_name=PROGRAM)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    except BrokenPipeError:
        raise
    except DialogError as error:
        _explain(f"{PROGRAM}: {error}", given)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        advice = "" if _wants_traceback(given) else "; run with --traceback to see where"
        _explain(f"{PROGRAM}: {type(error).__name__}: {error}{advice}", given)
        return CRASHED
    return 0


def _explain(line: str, given: Sequence[str]) -> None:
    if _wants_traceback(given):
        traceback.print_exc()
    output.remark(line)


def _wants_traceback(given: Sequence[str]) -> bool:
    options = given[: given.index("--")] if "--" in given else given
    return "--traceback" in options


def _reader_left() -> int:
    """Whoever read our output has closed it: say nothing more, and let the exit be quiet."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_LEFT


def _named(given: Sequence[str]) -> str | None:
    """The verb a command line names; None if it only asks for help."""
    return next((argument for argument in given if not argument.startswith("-")), None)


def _misfit(name: str, plugin: object, taken: set[str]) -> str:
    if name in taken:
        return f"the verb {name!r} is built in"
    if not isinstance(plugin, typer.Typer):
        return f"is a {type(plugin).__name__}, not a typer.Typer"
    try:
        typer.main.get_command(plugin)
    except Exception as error:  # typer finds out about a stranger's annotations only here
        return f"{type(error).__name__}: {error}"
    return ""


def _names(app: typer.Typer) -> set[str]:
    commands = {info.name for info in app.registered_commands}
    return {name for name in commands | {info.name for info in app.registered_groups} if name}


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.show(f"{PROGRAM} {version(plugins.DISTRIBUTION)}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Dialogue agents that answer from your documents, in Chinese and English."""
