"""Public opinion: what is written about companies, how it is meant, and when it is more than usual."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skills.opinion.monitor import Alarm, Monitor, Watch
    from skills.opinion.reading import News
    from skills.opinion.skill import Opinion, Watched

__all__ = ["Alarm", "Monitor", "News", "Opinion", "Watch", "Watched"]
_HOMES = {"monitor": ("Alarm", "Monitor", "Watch"), "reading": ("News",), "skill": ("Opinion", "Watched")}


def __getattr__(name: str) -> Any:
    """The parts, imported when first asked for: the verb's help needs none of them."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"skills.opinion.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
