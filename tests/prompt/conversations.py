"""Small conversations for the prompt's tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dialog.instructions import Instruction
from dialog.prompt.render import OnOverflow, Rendered, render
from dialog.protocols import ChatTokenizer
from dialog.testing.words import WordTokenizer
from dialog.values import Passage, Summary, Turn

TOKENIZER = WordTokenizer()
BRIEF = Instruction(id="i-brief", text="Be brief.", source="system")


def turn(index: int, *, words: int = 4, reply: str | None = "") -> Turn:
    """Turn `index`; its reply says its number unless it is None (a person answered)."""
    said = None if reply is None else reply or f"Yes, {index} it is."
    return Turn(
        index=index,
        user_id=f"u-{index}",
        user=f"Question {index}" + " word" * words,
        reply_id=None if said is None else f"r-{index}",
        reply=said,
    )


def back(num_turns: int, **options: int) -> list[Turn]:
    """That many turns, newest first."""
    return [turn(index, **options) for index in reversed(range(num_turns))]


def passage(number: int, text: str = "Parcels arrive within three days.") -> Passage:
    return Passage(
        id=f"p-{number}",
        text=text,
        source="shipping.md",
        title="Shipping",
        score=1 / number,
        char_start=0,
        char_end=len(text),
    )


def rendered(
    *,
    turns: Iterable[Turn] = (),
    passages: Sequence[Passage] = (),
    user: str = "And the fee?",
    user_id: str = "u-new",
    instructions: Sequence[Instruction] = (BRIEF,),
    limit_tokens: int = 10_000,
    reserve_tokens: int = 20,
    on_overflow: OnOverflow = "drop_oldest",
    summary: Summary | None = None,
    memory: str = "",
    tokenizer: ChatTokenizer = TOKENIZER,
) -> Rendered:
    """`render` with everything filled in."""
    return render(
        tokenizer,
        instructions=instructions,
        turns=turns,
        passages=passages,
        user=user,
        user_id=user_id,
        limit_tokens=limit_tokens,
        reserve_tokens=reserve_tokens,
        on_overflow=on_overflow,
        summary=summary,
        memory=memory,
    )


class Counted:
    """An iterable of turns that counts how many were read."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._turns = turns
        self.num_read = 0

    def __iter__(self) -> Iterator[Turn]:
        for one in self._turns:
            self.num_read += 1
            yield one
