"""What tau2 tells a model to play, as what a customer says: "You are Yusuf" becomes "I am Yusuf".

first_person("You received your order #W1 and wish to return it.")
# "I received my order #W1 and wish to return it."
"""

from __future__ import annotations

import re

from dialog.text import sentences

_TURNED = {
    "you are": "I am",
    "you're": "I'm",
    "you were": "I was",
    "you've": "I've",
    "you'd": "I'd",
    "you'll": "I'll",
    "yourself": "myself",
    "yours": "mine",
    "your": "my",
    "you": "I",
}
_SECOND_PERSON = re.compile(rf"\b(?:{'|'.join(_TURNED)})\b", re.IGNORECASE)
_OBJECT = re.compile(r"\b(for|to|with|from|of|by|about|give|gives|tell|tells|send|sends|at) I\b")
_STAGE = re.compile(r"\b(?:agent|assistant|representative|role|respond|message)\b", re.IGNORECASE)
"""A sentence about how to play is no fact that a customer tells."""


def first_person(text: str) -> str:
    """The text as the person it speaks to would say it."""
    turned = _SECOND_PERSON.sub(lambda found: _cased(_TURNED[found[0].lower()], found[0]), text)
    return _OBJECT.sub(r"\1 me", turned)


def told_facts(text: str) -> list[str]:
    """The sentences a customer may tell, in the first person."""
    found = (text[start:end] for start, end in sentences(text))
    return [first_person(sentence) for sentence in found if not _STAGE.search(sentence)]


def _cased(turned: str, found: str) -> str:
    return turned[0].upper() + turned[1:] if found[0].isupper() else turned
