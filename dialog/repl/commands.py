"""The table of the REPL's commands, and how a line becomes a call of one.

    if is_command(line):
        action = dispatch(session, line)

A line that begins with `/` never reaches the model, also when no command is
called that; `//` sends the rest of the line with its slash.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable

from rapidfuzz import fuzz, process

from dialog.errors import DialogError
from dialog.repl.command import Choice, Command
from dialog.repl.context import Action, CommandError, ReplSession
from dialog.repl.verbs import actions, branches, files, insight, steering, talk
from dialog.repl.view import help_lines


def show_help(session: ReplSession, argument: str) -> None:
    """All commands, or one of them."""
    if argument:
        command, _ = find("/" + argument.lstrip("/"))
        session.show(*help_lines([command], width=session.console.width))
        return
    session.show(*help_lines(TABLE, width=session.console.width))
    session.say('"""  begins and ends several lines; Alt-Enter breaks a line, Ctrl-X Ctrl-E opens $EDITOR')
    session.say("Ctrl-C stops a reply or clears the line, Ctrl-D leaves; // sends a line that begins with /")


def _command_names(session: ReplSession, argument: str) -> Iterable[Choice]:
    return ((command.name.lstrip("/"), command.help) for command in TABLE)


TABLE: tuple[Command, ...] = (
    Command("/help", "[COMMAND]", "show this, or one command", show_help, _command_names, aliases=("/?",)),
    *insight.COMMANDS,
    *talk.COMMANDS,
    *branches.COMMANDS,
    *steering.COMMANDS,
    *actions.COMMANDS,
    *files.COMMANDS,
)


def is_command(line: str) -> bool:
    """True for a line the model must not see."""
    return line.startswith("/") and not line.startswith("//")


def unescape(line: str) -> str:
    """What is sent for a line that is no command."""
    return line[1:] if line.startswith("//") else line


def find(line: str) -> tuple[Command, str]:
    """The command of a line, and its argument.

    Raises:
        CommandError: there is no such command; the message names the nearest.
    """
    word, _, argument = line.strip().partition(" ")
    for command in TABLE:
        if word.lower() in (command.name, *command.aliases):
            return command, argument.strip()
    raise CommandError(f"no command {word!r}{_nearest(word)}; begin with // to send a slash")


def call(session: ReplSession, line: str) -> Action:
    """Run a command line. Raises CommandError, DialogError, ValueError, or what a bug in it raises."""
    command, argument = find(line)
    return command.run(session, argument)


def dispatch(session: ReplSession, line: str) -> Action:
    """Run a command line. What goes wrong is said in one line, and the session goes on."""
    try:
        return call(session, line)
    except KeyboardInterrupt:
        session.say("stopped")
    except Exception as error:
        say_error(session, error, doing=line.split()[0])
    return None


def say_error(session: ReplSession, error: Exception, *, doing: str) -> None:
    """One line for what went wrong; the traceback only where it was asked for."""
    session.say(error_line(error, doing=doing), style="red")
    if session.show_tracebacks:
        session.say("".join(traceback.format_exception(error)))


def error_line(error: Exception, *, doing: str) -> str:
    """What to tell: the message if it was written for the user, else what failed and how."""
    is_expected = isinstance(error, CommandError | DialogError | ValueError)
    return str(error) if is_expected else f"{doing} failed: {type(error).__name__}: {error}"


def _nearest(word: str) -> str:
    names = [command.name for command in TABLE]
    match = process.extractOne(word.lower(), names, scorer=fuzz.ratio, score_cutoff=55)
    return f", did you mean {match[0]}?" if match else ", see /help"
