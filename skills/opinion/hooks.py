"""What happens when an alarm rings: a program is started or a web address told. Never fatal.

    deliver(alarms, [Command(("notify-desk", "--urgent")), Webhook("https://desk.example/alarms")])

The program gets one alarm as JSON on its standard input; nothing of the news
is ever on a command line, and no shell is asked. What failed is returned, to be shown.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from skills.opinion.monitor import Alarm

_SECONDS = 30.0
_TOLD_CHARS = 300


class Hook(Protocol):
    """Somebody to tell; raises whatever went wrong."""

    def tell(self, alarm: Alarm) -> None: ...


@dataclass(frozen=True)
class Command:
    """A program and its arguments."""

    arguments: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.arguments:
            raise ValueError("a command needs at least the program's name")

    def tell(self, alarm: Alarm) -> None:
        subprocess.run(
            self.arguments,
            input=alarm.model_dump_json().encode("utf-8"),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )


@dataclass(frozen=True)
class Webhook:
    """An http(s) address that takes the alarm as JSON; redirects are not followed."""

    url: str

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"{self.url!r} is no web address; begin it with https://")

    def tell(self, alarm: Alarm) -> None:
        import httpx

        content = alarm.model_dump_json().encode("utf-8")
        headers = {"content-type": "application/json"}
        httpx.post(self.url, content=content, headers=headers, timeout=_SECONDS).raise_for_status()


def deliver(alarms: Iterable[Alarm], hooks: Sequence[Hook]) -> list[str]:
    """Tell every hook of every alarm; returns what failed, in words."""
    failures = []
    for alarm in alarms:
        for hook in hooks:
            try:
                hook.tell(alarm)
            except subprocess.CalledProcessError as error:
                said = error.stderr.decode("utf-8", "replace").strip()[:_TOLD_CHARS]
                failures.append(f"{_named(alarm)}: {error.cmd[0]} ended with {error.returncode}: {said}")
            except Exception as error:  # a hook is somebody else's; the monitor goes on whatever it does
                failures.append(f"{_named(alarm)}: {type(error).__name__}: {str(error)[:_TOLD_CHARS]}")
    return failures


def _named(alarm: Alarm) -> str:
    return f"alarm of {alarm.day} about {alarm.company} was not delivered"
