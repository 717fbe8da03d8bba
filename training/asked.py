"""Held-out turns a model is asked before and after it is tuned: the same ones for a seed, and few.

asked = choose_turns(transcripts, tokenizer, most=24, seed=0, limit_tokens=2048, max_tokens=64)
asked.turns[0].prompt, asked.turns[0].wanted
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from dialog.errors import PromptTooLong
from dialog.protocols import ChatTokenizer
from dialog.values import Prompt, Transcript
from training.examples import prompt_at
from training.exchanges import Exchange, exchanges_of


@dataclass(frozen=True)
class AskedTurn:
    """One turn: the prompt chat would show, and the reply the agent gave."""

    conversation_id: str
    turn: int
    user: str
    wanted: str
    prompt: Prompt


@dataclass(frozen=True)
class Asked:
    """The turns in order of conversation, and how many replies there were to choose from."""

    turns: tuple[AskedTurn, ...]
    of: int
    num_too_long: int = 0

    @property
    def num_conversations(self) -> int:
        return len({one.conversation_id for one in self.turns})


def choose_turns(
    transcripts: Sequence[Transcript],
    tokenizer: ChatTokenizer,
    *,
    most: int,
    seed: int,
    limit_tokens: int,
    max_tokens: int,
) -> Asked:
    """At most `most` turns, a second one of a conversation only once all have given one.

    Conversations are what results vary by, so many with one turn tell more than
    few with many. The order of files changes nothing.

    Args:
        limit_tokens: prompt and reply together; the oldest turns are left out as in chat.
        max_tokens: kept free for the reply.
    """
    found: list[AskedTurn] = []
    num_too_long = 0
    exchanges = {one.id: exchanges_of(one).exchanges for one in transcripts}
    candidates = _candidates(exchanges, seed)
    for conversation, number in candidates:
        if len(found) == most:
            break
        exchange = exchanges[conversation][number]
        try:
            prompt = prompt_at(
                exchanges[conversation],
                number,
                tokenizer,
                limit_tokens=limit_tokens,
                reserve_tokens=max_tokens,
            )
        except PromptTooLong:
            num_too_long += 1
            continue
        found.append(AskedTurn(conversation, number, exchange.user, exchange.reply or "", prompt))
    found.sort(key=lambda one: (one.conversation_id, one.turn))
    return Asked(tuple(found), of=len(candidates), num_too_long=num_too_long)


def _candidates(exchanges: dict[str, tuple[Exchange, ...]], seed: int) -> list[tuple[str, int]]:
    """All turns with a reply that is trained: a first one of each conversation, then a second one, ..."""

    def place(conversation: str, number: int | None) -> bytes:
        named = f"{seed}\n{conversation}\n{number}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(named).digest()

    by_conversation = [
        sorted(
            ((name, one.index) for one in found if one.is_trained and (one.reply or "").strip()),
            key=lambda pair: place(*pair),
        )
        for name, found in sorted(exchanges.items(), key=lambda pair: place(pair[0], None))
    ]
    rounds = zip_longest(*by_conversation)
    return [pair for pair in chain.from_iterable(rounds) if pair is not None]
