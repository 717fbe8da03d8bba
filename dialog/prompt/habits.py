"""What a chat template does beside framing messages, found out by rendering marks with it.

Templates differ: some refuse a system role or two messages of one role in a row,
some trim what they are given, some add a system text of their own. Each habit is
probed once when a template is opened; nothing is read from its source.

    habits = find_habits(tokenizer)
    habits.takes_system, habits.trims_start, habits.adaptations
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dialog.errors import ModelError
from dialog.protocols import ChatTokenizer
from dialog.values import Message, Role

_OPEN, _CLOSE = "\ue0f0\ue0f1", "\ue0f1\ue0f0"
_MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_PADDING = "\t\x0b\t"
_CHAT_ROLES: tuple[Role, ...] = ("system", "user", "assistant")


@dataclass(frozen=True)
class Piece:
    """Template text: one control token, or plain text if `control` is None."""

    control: int | None
    text: str


@dataclass(frozen=True)
class Mark:
    """The place of the content of message number `message`."""

    message: int


Skeleton = tuple[Piece | Mark, ...]


@dataclass(frozen=True)
class Habits:
    """What a template does; `own_system` is the text it adds where no system message is given."""

    takes_system: bool
    takes_repeats: bool
    trims_start: frozenset[Role]
    trims_end: frozenset[Role]
    own_system: str

    @property
    def adaptations(self) -> tuple[str, ...]:
        """What we change for the template's sake, in words; empty if nothing."""
        told = []
        if not self.takes_system:
            told.append("the template takes no system message: instructions open the first user message")
        if not self.takes_repeats:
            told.append("the template wants roles to alternate: neighbours of one role are joined")
        trimmed = sorted(self.trims_start | self.trims_end)
        if trimmed:
            told.append(f"the template trims white space around messages of: {', '.join(trimmed)}")
        if self.own_system:
            told.append(f"without an instruction the template adds its own text: {self.own_system!r}")
        return tuple(told)


def skeleton(tokenizer: ChatTokenizer, roles: Sequence[Role], *, reply_follows: bool) -> Skeleton:
    """The template's own pieces for messages of these roles, with marks for their contents.

    Raises:
        ModelError: the template refuses these roles, or leaves out or repeats a content.
    """
    try:
        text = _render(tokenizer, roles, reply_follows=reply_follows)
    except ValueError as error:
        raise ModelError(f"the chat template refuses messages of the roles {list(roles)}: {error}") from error
    found: list[Piece | Mark] = []
    seen: list[int] = []
    for index, piece in enumerate(_MARK.split(text)):
        if index % 2:
            seen.append(int(piece))
            found.append(Mark(int(piece)))
        else:
            found += [Piece(control, words) for control, words in tokenizer.split_control(piece) if words]
    if sorted(seen) != list(range(len(roles))):
        raise ModelError(
            f"the chat template shows messages {seen} where {list(range(len(roles)))} of the roles "
            f"{list(roles)} were given; use a model whose template shows every message once"
        )
    return tuple(found)


def find_habits(tokenizer: ChatTokenizer) -> Habits:
    """Render probes.

    Raises:
        ModelError: the template cannot hold even a user, an assistant and a user message.
    """
    skeleton(tokenizer, ("user", "assistant", "user"), reply_follows=True)
    takes_system = _takes(tokenizer, ("system", "user", "assistant", "user"))
    takes_repeats = all(
        _takes(tokenizer, roles) for roles in (("user", "user"), ("user", "assistant", "assistant", "user"))
    )
    roles = _CHAT_ROLES if takes_system else _CHAT_ROLES[1:]
    starts, ends = _trims(tokenizer, (*roles, "user"))
    return Habits(takes_system, takes_repeats, starts, ends, _own_system(tokenizer, takes_system))


def _render(
    tokenizer: ChatTokenizer, roles: Sequence[Role], *, reply_follows: bool, padding: str = ""
) -> str:
    messages = [
        Message(role=role, content=f"{padding}{_OPEN}{index}{_CLOSE}{padding}")
        for index, role in enumerate(roles)
    ]
    return tokenizer.apply_template(messages, add_generation_prompt=reply_follows)


def _takes(tokenizer: ChatTokenizer, roles: Sequence[Role]) -> bool:
    try:
        skeleton(tokenizer, roles, reply_follows=True)
    except ModelError:
        return False
    return True


def _trims(tokenizer: ChatTokenizer, roles: Sequence[Role]) -> tuple[frozenset[Role], frozenset[Role]]:
    """Roles whose contents lose white space at their start, and at their end."""
    text = _render(tokenizer, roles, reply_follows=True, padding=_PADDING)
    starts: set[Role] = set()
    ends: set[Role] = set()
    for match in _MARK.finditer(text):
        role = roles[int(match.group(1))]
        if not text[: match.start()].endswith(_PADDING):
            starts.add(role)
        if not text[match.end() :].startswith(_PADDING):
            ends.add(role)
    return frozenset(starts), frozenset(ends)


def _own_system(tokenizer: ChatTokenizer, takes_system: bool) -> str:
    """What stands, without a system message, exactly where a given one would."""
    if not takes_system:
        return ""
    bare, *_ = _MARK.split(_render(tokenizer, ("user",), reply_follows=False))
    before, _, between, *_ = _MARK.split(_render(tokenizer, ("system", "user"), reply_follows=False))
    fits = bare.startswith(before) and bare.endswith(between) and len(bare) >= len(before) + len(between)
    return bare[len(before) : len(bare) - len(between)].strip() if fits else ""
