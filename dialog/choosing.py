"""Asking the user which of two skills is meant, and understanding the answer; leaving the one in charge.

The question is recorded with the reply that asks it (`Reply.choices`), so the
answer is understood by any process, after an undo, and in a fork.

    asked = asked_before(conversation, said)
    picked = understood("the second one", titles={"support": "an order", "sentiment": "a review"})
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dialog.claims import content_terms
from dialog.conversation import Conversation
from dialog.entries import HumanSaid, Replied, UserSaid
from dialog.skill import SkillSpec
from dialog.text import normalise
from dialog.values import Language

_EDGES = " \t\n.!?~,。！？，、～\"'“”"
_FIRST = re.compile(
    r"(the )?(first|former)( (one|option))?|(option )?1|a|第一(个|种|项)?|前者|前一个|前面(那个|的)?"
)
_SECOND = re.compile(
    r"(the )?(second|latter|last)( (one|option))?|(option )?2|b|第二(个|种|项)?|后者|后一个|后面(那个|的)?"
)
_NEITHER = re.compile(
    r"no|nope|neither( of (them|these|those|the two))?|none( of (them|these|those))?|no,? neither"
    r"|(两个|以上|哪个)?都不(是|对|要)|不是|没有|哪个都不是"
)
_LEAVING = re.compile(
    r"(oh |ok |okay |no |actually |well )*"
    r"(never ?mind|forget (about )?(it|that|this)|leave (it|that)|drop it|stop( it| this)?|quit|exit)"
    r"( then| please)?"
    r"|(那|还是|哦|嗯)*(就)?(算了|当我没说|当我没问|别管了|不用管了|不弄了|不办了|不说这个了|退出)(吧|啦)?"
)


@dataclass(frozen=True)
class Asked:
    """The question before this turn: the names it offers, and the message it was about."""

    choices: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Understood:
    """What the user answered: a name, or None for neither; `is_all` if the answer says nothing else."""

    name: str | None
    is_all: bool


def asked_before(conversation: Conversation, said: UserSaid) -> Asked | None:
    """The open question that `said` may answer; None if the reply before it asked nothing."""
    earlier = (
        entry
        for entry in conversation.entries_back()
        if isinstance(entry, UserSaid | Replied | HumanSaid) and entry.id != said.id
    )
    replied = next(earlier, None)
    if not isinstance(replied, Replied) or not replied.reply.choices:
        return None
    about = next((entry for entry in earlier if isinstance(entry, UserSaid)), None)
    return Asked(replied.reply.choices, about.text) if about is not None else None


def understood(text: str, titles: Mapping[str, str]) -> Understood | None:
    """Which of two things an answer picks, by place or by name; None if it does not say.

    Args:
        titles: what each name was called in the question, in that order.
    """
    bare = normalise(text).strip(_EDGES)
    for name, pattern in zip(titles, (_FIRST, _SECOND), strict=False):
        if pattern.fullmatch(bare):
            return Understood(name, is_all=True)
    if _NEITHER.fullmatch(bare):
        return Understood(None, is_all=True)
    said = content_terms(text)
    named = {name: content_terms(f"{name} {title}") for name, title in titles.items()}
    own = {name: terms - _others(named, name) for name, terms in named.items()}
    hit = [name for name, terms in own.items() if terms & said]
    if len(hit) != 1:
        return None
    return Understood(hit[0], is_all=said <= named[hit[0]])


def is_leaving(text: str) -> bool:
    """Whether the whole message says that the matter is dropped: `never mind`, `算了`."""
    return bool(_LEAVING.fullmatch(normalise(text).strip(_EDGES)))


def title(spec: SkillSpec, language: Language) -> str:
    """What a skill is called in a question; its English title, else its name, where it has none there."""
    return spec.titles.get(language) or spec.titles.get("en") or spec.name


def question(specs: Sequence[SkillSpec], wording: str, language: Language) -> str:
    """`wording` with `{first}` and `{second}` filled in."""
    first, second = (title(spec, language) for spec in specs)
    return wording.replace("{first}", first, 1).replace("{second}", second, 1)


def _others(named: Mapping[str, set[str]], name: str) -> set[str]:
    return set().union(*(terms for other, terms in named.items() if other != name))
