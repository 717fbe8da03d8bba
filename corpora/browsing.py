"""Turning over conversations at the keyboard: the next, the one before, the next that says something.

browse(transcripts, show=console_print, ask=input)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from corpora.filtering import says
from dialog.values import Transcript

MAX_KEPT = 500
"""How far one can turn back; what is older is let go, so that memory stays bounded."""
PROMPT = "[Enter] next  [p] previous  [/words] search  [q] quit: "
_END = "no further conversation; p goes back, q ends"
_START = "no earlier conversation is kept"


def browse(
    transcripts: Iterator[Transcript],
    *,
    show: Callable[[Transcript], None],
    ask: Callable[[str], str],
    tell: Callable[[str], None],
) -> None:
    """Show the first and then what is asked for, until `q` or the end of input (`EOFError`)."""
    kept: list[Transcript] = []
    place = -1

    def onward(words: str = "") -> bool:
        nonlocal place
        at = place
        while True:
            at += 1
            if at >= len(kept):
                following = next(transcripts, None)
                if following is None:
                    return False
                kept.append(following)
                if len(kept) > MAX_KEPT:
                    del kept[0]
                    at -= 1
                    place -= 1
            if says(kept[at], words):
                place = at
                return True

    if not onward():
        return
    show(kept[place])
    while True:
        try:
            said = ask(PROMPT).strip()
        except EOFError:
            return
        if said in ("q", "quit"):
            return
        if said == "p":
            moved, problem = place > 0, _START
            place = max(0, place - 1)
        elif said.startswith("/"):
            moved, problem = onward(said[1:]), f"nothing further says {said[1:]!r}"
        else:
            moved, problem = onward(), _END
        if moved:
            show(kept[place])
        else:
            tell(problem)
