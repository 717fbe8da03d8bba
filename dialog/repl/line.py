'''Reading one message: editing, several lines, pastes, completion and the bar below.

    line = LineReader(session, input=input, output=output, history_path=path)
    text = line.read()      # raises EOFError when the user leaves

Several lines stand between `"""` and `"""`, or are broken with Alt-Enter. A
long paste is one token on the screen and all its lines in the message.
'''

from __future__ import annotations

from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from dialog.repl.complete import CommandCompleter
from dialog.repl.context import ReplSession
from dialog.repl.editor import edit_in_editor
from dialog.repl.past_lines import PastLines
from dialog.repl.pastes import Pastes
from dialog.repl.toolbar import toolbar

QUOTES = '"""'
MENU_ROWS = 6

_STYLE = Style.from_dict(
    {"bottom-toolbar": "noreverse dim", "prompt": "bold ansigreen", "continuation": "dim"}
)


class LineReader:
    """Reads message after message with one history."""

    def __init__(self, session: ReplSession, *, input: Input, output: Output, history_path: Path) -> None:
        self._session = session
        self._output = output
        self._pastes = Pastes()
        self._prompt: PromptSession[str] = PromptSession(
            [("class:prompt", "› ")],
            input=input,
            output=output,
            history=PastLines(history_path, expand=lambda line: self._pastes.expand(line)),
            completer=CommandCompleter(session),
            complete_while_typing=Condition(self._is_command),
            key_bindings=self._bindings(),
            bottom_toolbar=lambda: self._toolbar(),
            prompt_continuation=[("class:continuation", "· ")],
            reserve_space_for_menu=MENU_ROWS,
            style=_STYLE,
            include_default_pygments_style=False,
        )

    def read(self, *, prefill: str = "") -> str:
        """The next message, quotes and pastes resolved.

        Raises:
            EOFError: the user leaves (Ctrl-D), or the terminal is gone.
            KeyboardInterrupt: Ctrl-C with nothing typed.
        """
        self._pastes.clear()
        typed = self._prompt.prompt(default=prefill)
        lost = self._pastes.lost(typed)
        for paste in lost:
            self._session.say(f"{paste} was changed and is not sent whole", style="yellow")
        return unquoted(self._pastes.expand(typed))

    def _is_command(self) -> bool:
        return self._prompt.default_buffer.text.startswith("/")

    def _toolbar(self) -> StyleAndTextTuples:
        return [("", toolbar(self._session, width=self._output.get_size().columns))]

    def _bindings(self) -> KeyBindings:
        keys = KeyBindings()
        focused = has_focus(DEFAULT_BUFFER)

        @keys.add(Keys.Enter, filter=focused & Condition(lambda: is_open(self._prompt.default_buffer.text)))
        @keys.add(Keys.Escape, Keys.Enter, filter=focused)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @keys.add(Keys.BracketedPaste, filter=focused)
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text(self._pastes.keep(event.data))

        @keys.add(Keys.ControlC, filter=focused & Condition(lambda: bool(self._prompt.default_buffer.text)))
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.reset()

        @keys.add(Keys.ControlX, Keys.ControlE, filter=focused)
        async def _(event: KeyPressEvent) -> None:
            await edit_in_editor(event.current_buffer, editor=self._session.agent.config.values.repl.editor)

        return keys


def is_open(text: str) -> bool:
    """True while a message that begins with `\"\"\"` lacks its end."""
    body = text.strip()
    return body.startswith(QUOTES) and not (len(body) >= 2 * len(QUOTES) and body.endswith(QUOTES))


def unquoted(text: str) -> str:
    """A message without the quotes around its lines."""
    body = text.strip()
    if body.startswith(QUOTES):
        body = body.removeprefix(QUOTES).removesuffix(QUOTES).strip("\n")
    return body
