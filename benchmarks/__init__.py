"""Measurements, one module each: `python -m benchmarks NAME`, results in `benchmarks/results`.

A module's docstring begins with one line that says what it measures; running
it (`python -m benchmarks.NAME`) measures, prints a Markdown table and calls
`save`. Compare things in one run and interleaved: the machine is never quiet.

    save("startup", {"help_s": 0.31}, table=markdown(("what", "seconds"), [("--help", 0.31)]))
"""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
DATA = Path(os.environ.get("INSTRUCTREC_DATA", Path(__file__).parents[2] / "shared" / "data"))


def save(name: str, values: Mapping[str, Any], *, table: str) -> Path:
    """Print the table and keep it with the values and the machine; returns the JSON file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"name": name, "machine": machine(), "values": values, "table": table.splitlines()}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(table)
    return path


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats get three significant digits."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def machine() -> dict[str, Any]:
    """What the numbers depend on: processor, cores, who else was working, versions, when."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "instructrec": version("instructrec"),
        "torch": version("torch"),
        "transformers": version("transformers"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie; of one value, that value."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[min(98, max(0, round(share * 100) - 1))]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
