"""Speed and peak memory of `data convert`, `data scrub` and `data check` on a made log.

    python -m benchmarks.corpora_speed [--megabytes 1000] [--workers 2]

Each runs in a process of its own on a log of 100 MB (1 GB if asked), written once to a
temporary folder, and on a tenth of it: memory that does not grow with the
file shows as equal peaks. Processor time is the process's and its workers',
the peak that of the largest process. `--workers` is for
scrub and check; convert reads and writes in one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from benchmarks import markdown, save
from benchmarks.made_log import made_log

_CONVERT = (
    "from pathlib import Path; from corpora.converting import convert; from corpora.reading import Reading\n"
    "from corpora.writers import writer_of; import sys\n"
    "if __name__ == '__main__':\n"
    "    convert([Reading(Path(sys.argv[1]))], writer_of('openai'), Path(sys.argv[2]))"
)
_SCRUB = (
    "from pathlib import Path; from corpora.scrub.run import Job, scrub_files; import sys\n"
    "if __name__ == '__main__':\n"
    "    scrub_files([Path(sys.argv[1])], Path(sys.argv[2]), Job(workers=int(sys.argv[3])))"
)
_CHECK = (
    "from pathlib import Path; from corpora.checks.run import Checking, check_files; import sys\n"
    "if __name__ == '__main__':\n"
    "    check_files([Path(sys.argv[1])], Checking(workers=int(sys.argv[3])))"
)


def write_log(path: Path, *, num_bytes: int) -> int:
    """Conversations until the file has about `num_bytes`; returns their number."""
    written = number = 0
    with path.open("w", encoding="utf-8") as file:
        for transcript in made_log(num=10**9, seed=5):
            line = transcript.model_dump_json(exclude_defaults=True) + "\n"
            file.write(line)
            written += len(line.encode())
            number += 1
            if written >= num_bytes:
                return number
    raise AssertionError("the log has no end")


def measured(folder: Path, code: str, *arguments: str) -> tuple[float, float, float]:
    """Wall seconds, processor seconds, and peak megabytes of the largest process."""
    script = folder / "measured.py"
    script.write_text(code, encoding="utf-8")
    before = time.perf_counter()
    process = subprocess.Popen([sys.executable, str(script), *arguments])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(arguments: list[str]) -> int:
    parser = ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    rows, values = [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for megabytes in (max(1, given.megabytes // 10), given.megabytes):
            log = folder / f"{megabytes}.jsonl"
            num = write_log(log, num_bytes=megabytes * 1_000_000)
            for verb, code in (("convert", _CONVERT), ("scrub", _SCRUB), ("check", _CHECK)):
                wall_s, cpu_s, peak_mb = measured(
                    folder, code, str(log), str(folder / "out.jsonl"), str(given.workers)
                )
                rows.append(
                    (
                        verb,
                        megabytes,
                        num,
                        f"{megabytes / wall_s:.2f}",
                        f"{megabytes / cpu_s:.2f}",
                        f"{peak_mb:.0f}",
                    )
                )
                values[f"{verb} {megabytes} MB"] = {
                    "conversations": num,
                    "mb_per_s": megabytes / wall_s,
                    "mb_per_cpu_s": megabytes / cpu_s,
                    "peak_mb": peak_mb,
                }
            log.unlink()
    header = ("verb", "MB", "conversations", "MB a second", "MB a CPU second", "peak memory, MB")
    save("corpora-speed", values, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
