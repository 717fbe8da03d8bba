"""A stream from its file to its alarms: read, judge, watch. The same input gives the same alarms.

told = replay(news, sense, Watch())                    # whole
told = replay(more, sense, watch, state=told.state)    # goes on where the last one stood
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue, ValidationError

from dialog.errors import SkillError
from dialog.skill import Tools
from dialog.values import Value
from skills.opinion.monitor import Alarm, Monitor, MonitorState, Watch
from skills.opinion.reading import News
from skills.opinion.sensing import Sense, judge_of

_AT_ONCE = 64


class Replayed(Value):
    """What the monitor knows now, and the alarms of this run in order."""

    state: MonitorState
    alarms: tuple[Alarm, ...]


def replay(
    news: Sequence[News],
    sense: Sense,
    watch: Watch,
    *,
    state: MonitorState | None = None,
    is_last: bool = True,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Replayed:
    """Feed news in order of day.

    Args:
        is_last: close the last day too; without it the day stays open for more news.
        advance: told how many are done, of how many.
    """
    monitor = Monitor(watch, state)
    alarms: list[Alarm] = []
    for start in range(0, len(news), _AT_ONCE):
        alarms += monitor.feed(sense.judged(news[start : start + _AT_ONCE]))
        advance(min(start + _AT_ONCE, len(news)), len(news))
    if is_last:
        alarms += monitor.close()
    return Replayed(state=monitor.state(), alarms=tuple(alarms))


def sense_of(options: Mapping[str, JsonValue], tools: Tools) -> tuple[Sense, list[str]]:
    """The sense that `[skills.options.opinion]` describes, and notes on what it lacks.

    Raises:
        SkillError: `companies` is no list of names.
    """
    told = options.get("companies", [])
    if not isinstance(told, list) or not all(isinstance(name, str) and name for name in told):
        raise SkillError('companies is no list of names; write companies = ["乐视网|乐视", "Acme|Acme Corp"]')
    parts = [str(name).split("|") for name in told]
    judge, note = judge_of(tools)
    return Sense(companies={one[0]: tuple(one[1:]) for one in parts}, judge=judge), [note] if note else []


def watch_of(options: Mapping[str, JsonValue]) -> Watch:
    """The watch that the options describe. Raises SkillError."""
    try:
        return Watch.model_validate({name: options[name] for name in Watch.model_fields if name in options})
    except ValidationError as error:
        raise SkillError(f"[skills.options.opinion]: {error}") from error


def load_state(path: Path) -> MonitorState:
    """A state that was saved. Raises SkillError."""
    try:
        return MonitorState.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SkillError(f"{path}: is no saved state ({error}); give another, or replay the whole") from error
