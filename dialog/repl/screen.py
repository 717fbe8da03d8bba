"""A rich console over a prompt_toolkit output, so that both write to one terminal in one order.

    console = console_on(create_output())
    console.print(Text("退货政策", style="bold"))

Rich never guesses here: no markup, no highlighting, no emoji codes, no links.
The size is asked for whenever it is used, so a resized window is noticed.
"""

from __future__ import annotations

import io

from prompt_toolkit.output import ColorDepth, Output
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from dialog.guard.terminal import safe_text

_COLORS = {
    ColorDepth.DEPTH_1_BIT: None,
    ColorDepth.DEPTH_4_BIT: "standard",
    ColorDepth.DEPTH_8_BIT: "256",
    ColorDepth.DEPTH_24_BIT: "truecolor",
}


class _OutputFile(io.TextIOBase):
    """Lets rich write to the output; line ends are spelled out, raw mode needs it."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in typeshed
        return "utf-8"

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._output.write_raw(text.replace("\n", "\r\n"))
        return len(text)

    def flush(self) -> None:
        self._output.flush()


class _OutputConsole(Console):
    """A console as large as the output is now."""

    def __init__(self, output: Output) -> None:
        self._output = output
        depth = output.get_default_color_depth()
        super().__init__(
            file=_OutputFile(output),  # type: ignore[arg-type]  # rich asks for more of IO than it uses
            force_terminal=True,
            color_system=_COLORS[depth],  # type: ignore[arg-type]  # one of the literals
            no_color=depth is ColorDepth.DEPTH_1_BIT,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            safe_box=True,
        )

    @property
    def size(self) -> ConsoleDimensions:
        size = self._output.get_size()
        return ConsoleDimensions(max(size.columns, 8), max(size.rows, 2))

    @size.setter
    def size(self, new_size: tuple[int, int]) -> None:
        raise AttributeError("the terminal sets its size")


def console_on(output: Output) -> Console:
    """The console that writes to `output`."""
    return _OutputConsole(output)


def plain(text: str, style: str = "") -> Text:
    """Text from outside (a title, a quote, an error), made harmless and ready to print."""
    return Text(safe_text(text), style=style)
