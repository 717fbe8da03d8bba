"""The line in the user's editor: `repl.editor`, else `$VISUAL`, else `$EDITOR`."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

Run = Callable[[list[str]], int]


async def edit_in_editor(buffer: Buffer, *, editor: str | None) -> None:
    """Let the editor change the buffer's text; nothing changes if it fails."""
    command = editor_command(editor, os.environ)
    text = await run_in_terminal(lambda: edited(buffer.text, command), in_executor=True)
    if text is not None:
        buffer.document = Document(text)


def editor_command(editor: str | None, environment: Mapping[str, str]) -> list[str]:
    """The program and its arguments; `vi` where none is set."""
    return shlex.split(editor or environment.get("VISUAL") or environment.get("EDITOR") or "vi")


def edited(text: str, command: list[str], *, run: Run = subprocess.call) -> str | None:
    """The text as the editor left it, None if the editor failed or cannot be started."""
    with tempfile.TemporaryDirectory(prefix="instructrec-") as folder:
        file = Path(folder) / "message.md"
        file.write_text(text, encoding="utf-8")
        try:
            if run([*command, str(file)]) != 0:
                return None
            return file.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
        except OSError:
            return None
