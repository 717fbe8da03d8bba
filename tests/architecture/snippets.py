"""Finds the snippets of Markdown files and runs them as a reader would.

A ```python block is one script; in a ```console block each line after `$ ` is
a shell command and what follows is its output (`...` stands for any lines).
Directly above a block, `<!-- not run: reason -->` excuses it, and
`<!-- output varies: reason -->` has its commands run without comparing.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>not run|output varies): (?P<reason>[^\n]+?) -->\n)?"
    r"^```(?P<language>python|console)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Snippet:
    """A fenced block and where it stands."""

    path: Path
    line: int
    language: str
    body: str
    mark: str | None

    @property
    def name(self):
        return f"{self.path.name}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One `$ ` line of a console block, and the output shown for it."""

    line: str
    shown: str


def documents():
    return [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))]


def snippets(path):
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [
        Snippet(
            path=path,
            line=text.count("\n", 0, found.start("language")) + 1,
            language=found["language"],
            body=found["body"],
            mark=found["mark"],
        )
        for found in _FENCE.finditer(text)
    ]


def commands(body):
    """The commands of a console block, in order."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(line.removeprefix("$ "), ""))
        elif found:
            found[-1] = Command(found[-1].line, f"{found[-1].shown}{line}\n")
    return found


def as_shown(output, shown):
    """True if `output` is what the page shows; a line `...` stands for any lines, also none."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + r"[ \t]*\n"
        for line in shown.splitlines()
    )
    text = "".join(f"{line}\n" for line in output.splitlines())
    return re.fullmatch(pattern, text) is not None


def run_python(snippet, *, home, folder):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", snippet.body],
        cwd=folder,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def run_command(command, *, home, folder):
    return subprocess.run(
        ["bash", "-c", command.line],
        cwd=folder,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def environment(home):
    """The user's environment with a home of its own, and the models that are already in the cache."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"INSTRUCTREC_HOME": str(home), "PATH": path, "COLUMNS": "100"}
