"""What the person who takes over is told: what is wanted, known, was tried, and was said last."""

from __future__ import annotations

from collections.abc import Mapping

from dialog.skill import SkillTurn
from dialog.values import Language
from skills.support.flows import Flows
from skills.support.progress import CONFIRM, Progress
from skills.support.words import say

_LAST_MESSAGES = 3
_MAX_CHARS = 300


def briefing(
    turn: SkillTurn,
    *,
    flows: Flows,
    progress: Progress,
    values: Mapping[str, str],
    intent: tuple[str | None, float],
    language: Language,
) -> str:
    """A few lines in the customer's language."""
    lines = [
        say(
            "wants",
            language=language,
            what=_wanted(flows, intent[0], language),
            confidence=f"{intent[1]:.2f}",
        )
    ]
    known = [f"{_label(flows, name, language)} = {value}" for name, value in values.items()]
    if known:
        lines.append(say("known", language=language, what="; ".join(known)))
    tried = _tried(turn, flows, progress, language)
    if tried:
        lines.append(say("tried", language=language, what="; ".join(tried)))
    lines.append(say("said", language=language))
    said = [message.content for message in turn.history if message.role == "user"]
    lines += [f"- {_short(text)}" for text in [*said, turn.text][-_LAST_MESSAGES:]]
    return "\n".join(lines)


def _wanted(flows: Flows, name: str | None, language: Language) -> str:
    flow = flows.flows.get(name or "")
    return flow.description.in_language(language) if flow else say("unclear", language=language)


def _label(flows: Flows, name: str, language: Language) -> str:
    spec = flows.slots.get(name)
    return spec.label.in_language(language) if spec else name


def _tried(turn: SkillTurn, flows: Flows, progress: Progress, language: Language) -> list[str]:
    tried = []
    if progress.asked not in (None, CONFIRM):
        label = _label(flows, progress.asked or "", language)
        tried.append(say("asked_for", language=language, what=label, times=str(progress.tries + 1)))
    if progress.unanswered:
        tried.append(say("open_question", language=language, times=str(progress.unanswered)))
    for action in turn.state.actions.values():
        arguments = ", ".join(f"{name}={value}" for name, value in action.proposal.arguments.items())
        tried.append(say("proposed", language=language, what=f"{action.proposal.name}({arguments})"))
    return tried


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _MAX_CHARS else flat[: _MAX_CHARS - 1] + "…"
