"""Put the tables of `benchmarks/results` where the pages ask for them.

    python -m benchmarks.report            # rewrite the pages
    python -m benchmarks.report --check    # exit 1 if a page says something else

A page asks with a pair of comments: `<!-- results: NAME -->` ... `<!-- end -->`.
What stands between is the table that the benchmark NAME saved, when, and on what.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from benchmarks import RESULTS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))]
_PLACE = re.compile(r"(<!-- results: (?P<name>[\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with every asked-for table as it was saved last."""
    return _PLACE.sub(lambda place: f"{place[1]}{_table(place['name'])}{place[3]}", page)


def _table(name: str) -> str:
    path = RESULTS / f"{name}.json"
    command = f"`python -m benchmarks.{_module(name)}`"
    if not path.is_file():
        return f"\nNot measured yet: {command}.\n\n"
    saved = json.loads(path.read_text(encoding="utf-8"))
    machine = saved["machine"]
    about = f"{machine['time'][:10]}, {machine['processor']}, {machine['cores']} cores"
    return "\n" + "\n".join(saved["table"]) + f"\n\n*{about}; {command}*\n\n"


def _module(name: str) -> str:
    """`skills-NAME` is measured by `benchmarks.skills.NAME`."""
    if name.startswith("skills-"):
        return f"skills.{name.removeprefix('skills-').replace('-', '_')}"
    return name.replace("-", "_")


def main(arguments: list[str]) -> int:
    """0 if every page was or is now as it should be."""
    stale = []
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        if filled(page) != page:
            stale.append(path)
            if "--check" not in arguments:
                path.write_text(filled(page), encoding="utf-8")
    for path in stale:
        print(
            f"{path.relative_to(ROOT)}: {'differs from the results' if '--check' in arguments else 'updated'}"
        )
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
