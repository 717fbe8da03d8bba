"""Messages changed as a chat template wants them: cleaned, folded, merged, trimmed.

shown = adapted(messages, find_habits(tokenizer))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dialog.guard.control import clean
from dialog.prompt.habits import Habits
from dialog.prompt.parts import Part, Spoken


def adapted(messages: Sequence[Spoken], habits: Habits) -> list[Spoken]:
    """The messages as a template of these habits takes them; parts keep their origins."""
    spoken = [_cleaned(message) for message in messages]
    if not habits.takes_system:
        spoken = _fold_system(spoken)
    if not habits.takes_repeats:
        spoken = _merge_repeats(spoken)
    return [_trimmed(message, habits) for message in spoken]


def _cleaned(message: Spoken) -> Spoken:
    parts = tuple(Part(part.kind, part.ref, clean(part.text).text) for part in message.parts)
    return message if parts == message.parts else Spoken(message.role, parts)


def _fold_system(messages: Sequence[Spoken]) -> list[Spoken]:
    """System messages become the beginning of the next user message."""
    folded: list[Spoken] = []
    waiting: list[Part] = []
    for message in messages:
        if message.role == "system":
            waiting += [*message.parts, Part("template", "", "\n\n")]
        elif message.role == "user" and waiting:
            folded.append(Spoken("user", (*waiting, *message.parts)))
            waiting = []
        else:
            folded.append(message)
    return [*folded, Spoken("user", tuple(waiting))] if waiting else folded


def _merge_repeats(messages: Sequence[Spoken]) -> list[Spoken]:
    """Neighbours of one role become one message, a blank line between them."""
    merged: list[Spoken] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            parts = (*merged[-1].parts, Part("template", "", "\n\n"), *message.parts)
            merged[-1] = Spoken(message.role, parts)
        else:
            merged.append(message)
    return merged


def _trimmed(message: Spoken, habits: Habits) -> Spoken:
    """The message with its outer white space removed where the template would."""
    parts = list(message.parts)
    if message.role in habits.trims_start:
        _strip_outer(parts, range(len(parts)), str.lstrip)
    if message.role in habits.trims_end:
        _strip_outer(parts, range(len(parts) - 1, -1, -1), str.rstrip)
    return Spoken(message.role, tuple(parts))


def _strip_outer(parts: list[Part], order: Iterable[int], strip: Callable[[str], str]) -> None:
    for index in order:
        part = parts[index]
        parts[index] = Part(part.kind, part.ref, strip(part.text))
        if parts[index].text:
            return
