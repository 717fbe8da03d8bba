"""The rules every skill keeps, tried on a few harmless messages in both languages.

problems("answer", skill)   # [] if it keeps them
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from dialog.errors import SkillError
from dialog.events import Event, Finished
from dialog.skill import Skill
from dialog.testing import FixedTools, FixedTurn, HashEmbedder, ScriptedModel

MESSAGES = ("Where is my parcel?", "我的包裹到哪里了？", "ok", "🙂")
EVENTS = get_args(get_args(Event)[0])


def problems(name: str, skill: Skill) -> list[str]:
    """What a skill does against the rules, in words; empty if nothing."""
    found = []
    tools = FixedTools(model=ScriptedModel(["I do not know."] * 100), embedder=HashEmbedder())
    if skill.spec.name != name:
        found.append(f"spec.name is {skill.spec.name!r} but it is registered as {name!r}")
    if not skill.spec.description.strip():
        found.append("spec.description is empty; the router and `skill list` show it")
    for message in MESSAGES:
        found += [f"{problem} (message {message!r})" for problem in _tried(skill, message, tools)]
    return found


def _tried(skill: Skill, message: str, tools: FixedTools) -> Iterator[str]:
    """Without options a skill may refuse to run, where it says that nothing fits it."""
    turn = FixedTurn(message, tools=tools)
    fit = 0.0
    try:
        fit = skill.matches(turn)
        if not isinstance(fit, int | float) or not 0 <= fit <= 1:
            yield f"matches() gave {fit!r}, not a number from 0 to 1"
        for event in skill.run(turn):
            if not isinstance(event, EVENTS):
                yield f"run() gave a {type(event).__name__}, not an event"
            elif isinstance(event, Finished):
                yield "run() gave Finished, which is the turn's to say"
    except SkillError as error:
        if fit:
            yield f"matches() gave {fit!r}, and run() refused: {error}"
    except Exception as error:  # a finding about a stranger's code
        yield f"{type(error).__name__}: {error}"
