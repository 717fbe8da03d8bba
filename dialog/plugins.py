"""Plug-ins: what other distributions add through entry points, loaded one by one, in isolation.

A plug-in that cannot be loaded becomes a `Broken` record, which `instructrec
doctor` lists; it never stops anything else. `INSTRUCTREC_PLUGINS=""` switches
third-party plug-ins off; a comma-separated list of distributions allows only those.
What this distribution itself registers is always on.

    loaded = load("instructrec.commands")
    loaded.found["data"], [broken.error for broken in loaded.broken]
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points

DISTRIBUTION = "instructrec"
VARIABLE = "INSTRUCTREC_PLUGINS"
GROUPS = (
    "instructrec.commands",
    "instructrec.skills",
    "instructrec.engines",
    "instructrec.readers",
    "instructrec.documents",
    "instructrec.views",
    "instructrec.metrics",
)


@dataclass(frozen=True)
class Broken:
    """A plug-in that is installed and cannot be used, and why."""

    group: str
    name: str
    target: str
    distribution: str
    error: str


@dataclass(frozen=True)
class Loaded:
    """The objects of one group by name, and the plug-ins that failed; both in name order."""

    found: Mapping[str, object] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()


def names(group: str) -> list[str]:
    """Names registered in a group, in order, each once; nothing is loaded."""
    return sorted({point.name for point in _allowed(group)})


def load(group: str, *, only: str | None = None) -> Loaded:
    """Load the plug-ins of a group, or the one named `only`.

    Where two distributions claim a name, ours wins, then the alphabetically
    first; the others are listed as broken.
    """
    found: dict[str, object] = {}
    broken: list[Broken] = []
    for point in _allowed(group):
        if only is not None and point.name != only:
            continue
        if point.name in found:
            broken.append(broken_plugin(point, f"the name {point.name!r} is taken; uninstall one of the two"))
            continue
        try:
            found[point.name] = point.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module does at import
            broken.append(broken_plugin(point, f"{type(error).__name__}: {error}"))
    return Loaded(found, tuple(broken))


def broken_plugin(point: EntryPoint, error: str) -> Broken:
    """The record of an entry point that cannot be used."""
    return Broken(
        group=point.group, name=point.name, target=point.value, distribution=owner(point), error=error
    )


def owner(point: EntryPoint) -> str:
    """Normalised name of the distribution that registered an entry point; empty if unknown."""
    distribution = point.dist
    return distribution.name.lower().replace("_", "-") if distribution is not None else ""


def _allowed(group: str) -> list[EntryPoint]:
    setting = os.environ.get(VARIABLE)
    listed = (
        None if setting is None else {part.strip().lower() for part in setting.split(",") if part.strip()}
    )
    return _ordered(
        point
        for point in entry_points(group=group)
        if owner(point) == DISTRIBUTION or listed is None or owner(point) in listed
    )


def _ordered(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    return sorted(points, key=lambda point: (point.name, owner(point) != DISTRIBUTION, owner(point)))
