"""Which skill has a turn: the one in charge, the one the user chose, the one that fits, or a question back.

A skill is picked where it fits well enough (`skills.min_confidence`) and better
than the default. Where the two best are about equal (`skills.margin`) the user
is asked which is meant; the default is never asked about, for it takes what
fits nothing else. A skill that fails to say whether it fits is passed over.

    route = routed(skills, turn, settings.skills, in_charge=state.skill, chosen=None)
    route.skill, route.confidence, route.rivals
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dialog.settings import SkillsSection
from dialog.skill import Skill, SkillTurn


@dataclass(frozen=True)
class Route:
    """Where a turn goes, and what the user should be told of how that was found.

    `rivals` are empty, or the two that fit equally well, the better first: ask before `skill` is run.
    """

    skill: Skill
    confidence: float
    rivals: tuple[Skill, ...] = ()
    notices: tuple[str, ...] = ()


def routed(
    skills: Sequence[Skill],
    turn: SkillTurn,
    settings: SkillsSection,
    *,
    in_charge: str | None = None,
    chosen: str | None = None,
) -> Route:
    """The route of a turn.

    Args:
        skills: those that may be picked, the default among them.
        in_charge: the skill that has the conversation.
        chosen: the skill the user named when asked; it goes before all others.
    """
    known = {skill.spec.name: skill for skill in skills}
    for name in (chosen, in_charge):
        if name is not None and name in known:
            return Route(known[name], 1.0)
    route = _fitting(skills, turn, settings)
    missing = next((name for name in (chosen, in_charge) if name is not None), None)
    if missing is None:
        return route
    notice = f"the skill {missing!r} had the conversation and is not there; see instructrec doctor"
    return replace(route, notices=(notice, *route.notices))


def _fitting(skills: Sequence[Skill], turn: SkillTurn, settings: SkillsSection) -> Route:
    """The skill that fits best; of equals the alphabetically first, but never before the default."""
    notices: list[str] = []
    fits = {skill.spec.name: _fit(skill, turn, notices) for skill in skills if _speaks(skill, turn)}
    known = {skill.spec.name: skill for skill in skills}
    default = fits.pop(settings.default, 0.0)
    best = sorted(
        (-fit, name) for name, fit in fits.items() if fit > default and fit >= settings.min_confidence
    )
    if not best:
        return Route(known[settings.default], default, notices=tuple(notices))
    (fit, name), *others = best
    is_close = bool(others) and others[0][0] - fit < settings.margin
    rivals = (known[name], known[others[0][1]]) if is_close else ()
    return Route(known[name], -fit, rivals, tuple(notices))


def _speaks(skill: Skill, turn: SkillTurn) -> bool:
    return turn.language == "und" or turn.language in skill.spec.languages


def _fit(skill: Skill, turn: SkillTurn, notices: list[str]) -> float:
    """What `matches` says; 0 and a notice where that is no number from 0 to 1."""
    try:
        fit = float(skill.matches(turn))
        if not 0 <= fit <= 1:
            raise ValueError(f"matches() gave {fit!r}, not a number from 0 to 1")
    except Exception as error:  # whatever a stranger's code does
        notices.append(f"skill {skill.spec.name!r} was passed over: {type(error).__name__}: {error}")
        return 0.0
    return fit
