"""`python -m dialog.knowledge.convert FORMAT MEMORY_BYTES CPU_S < FILE`: one JSON object to standard output.

{"pieces": [...], "title": ..., "notes": [...]} or {"unreadable": reason}.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from dataclasses import asdict
from typing import Any

from dialog.knowledge.convert import converter
from dialog.knowledge.convert.pieces import Unreadable


def main() -> None:
    name, memory_bytes, cpu_s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    _bound(memory_bytes, cpu_s)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    answer = _answer(name, sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


def _answer(name: str, data: bytes) -> dict[str, Any]:
    try:
        return asdict(converter(name)(data))
    except Unreadable as problem:
        return {"unreadable": str(problem)}
    except MemoryError:
        return {"unreadable": "needs too much memory to be read"}
    except RecursionError:
        return {"unreadable": "is nested too deeply"}
    except ImportError as error:
        return {"unreadable": f"cannot be read without {error.name!r}; install it with pip"}
    except Exception as error:  # a damaged file makes its parser raise anything
        return {"unreadable": f"is damaged: {type(error).__name__}: {str(error)[:200]}"}


def _bound(memory_bytes: int, cpu_s: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the reader's clock still ends the process
        return
    for limit, value in (("RLIMIT_CPU", cpu_s), ("RLIMIT_CORE", 0), ("RLIMIT_AS", memory_bytes)):
        try:
            resource.setrlimit(getattr(resource, limit), (value, value))
        except (ValueError, OSError):  # macOS refuses some, and a lower limit may be in force already
            continue


if __name__ == "__main__":
    main()
