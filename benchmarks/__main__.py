"""`python -m benchmarks [NAME...]`: list the measurements, or run some, each in its own process.

`all` runs every one of them; `-- ARGUMENTS` go to the modules.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0, 1 if a measurement failed, 2 if there is none of that name."""
    given, passed_on = _split(arguments)
    known = descriptions()
    if not given:
        width = max(len(name) for name in known)
        for name, what in known.items():
            print(f"{name:{width}}  {what}")
        return 0
    wanted = list(known) if given == ["all"] else given
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no measurement {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    codes = [_run(name, passed_on) for name in wanted]
    return int(any(codes))


def descriptions() -> dict[str, str]:
    """Each module present and the first line of its docstring; nothing is imported."""
    found = {}
    for path in (*sorted(HERE.glob("*.py")), *sorted(HERE.glob("skills/*.py"))):
        if not path.stem.startswith("_"):
            doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            name = ".".join(path.relative_to(HERE).with_suffix("").parts)
            found[name] = doc.split("\n", 1)[0]
    return found


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    given = list(arguments)
    if "--" not in given:
        return given, []
    at = given.index("--")
    return given[:at], given[at + 1 :]


def _run(name: str, passed_on: Sequence[str]) -> int:
    print(f"## {name}\n", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}", *passed_on]
    code = subprocess.run(command, cwd=HERE.parent, check=False).returncode
    print(flush=True)
    if code:
        print(f"{name} failed with exit code {code}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
