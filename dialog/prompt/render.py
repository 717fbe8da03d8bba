"""One prompt: state and passages in, token ids with their origins and a fit report out.

The same renderer serves chat, previews, replay and training, so the model is
shown what it was trained on. What does not fit is handled by a stated policy
and reported; nothing is cut silently, and never inside a part.

    rendered = render(
        model.tokenizer, instructions=state.instructions, turns=turns_newest_first, passages=found,
        user="And the fee?", user_id="u-9", limit_tokens=4096, reserve_tokens=160, on_overflow="drop_oldest",
    )
    rendered.prompt.ids, rendered.prompt.fit.dropped
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Literal, assert_never

from dialog.errors import PromptTooLong
from dialog.guard.control import clean
from dialog.instructions import Instruction
from dialog.prompt.budget import Fitted, estimate, fit, lay_out
from dialog.prompt.frame import FINGERPRINT as FINGERPRINT
from dialog.prompt.frame import MEMORY_REF, Frame
from dialog.prompt.summarise import Summariser, extract
from dialog.prompt.template import Template, open_template
from dialog.protocols import ChatTokenizer
from dialog.text import detect_language
from dialog.values import FitReport, Language, Passage, Prompt, Summary, Turn, Value

OnOverflow = Literal["drop_oldest", "summarise", "error"]
_LANGUAGE_TURNS = 4
_LANGUAGE_CHARS = 2000
_COUNTED_CHARS = 200_000


class Rendered(Value):
    """A prompt, the summary that was newly made for it (record it), and what the user should be told."""

    prompt: Prompt
    summary: Summary | None = None
    notices: tuple[str, ...] = ()


def render(
    tokenizer: ChatTokenizer,
    *,
    instructions: Sequence[Instruction],
    turns: Iterable[Turn],
    passages: Sequence[Passage],
    user: str,
    user_id: str,
    limit_tokens: int,
    reserve_tokens: int,
    on_overflow: OnOverflow,
    summary: Summary | None = None,
    summarise: Summariser = extract,
    memory: str = "",
    language: Language | None = None,
) -> Rendered:
    """Lay out and fit one prompt.

    Args:
        turns: past turns, newest first; read lazily. The turn being answered is skipped if among them.
        passages: best first; a repeated id is shown once.
        limit_tokens: prompt and reply together.
        reserve_tokens: kept free for the reply.
        summary: an earlier summary; shown once the turns it covers do not all fit.
        summarise: makes the summary where `on_overflow` is "summarise".
        memory: what is known so far (slots), as text; shown with the newest message.
        language: of headings and summaries; by default that of the newest messages.

    Raises:
        PromptTooLong: what may not be left out needs more than the limit; with
            `on_overflow="error"`, anything would have to be left out.
        ModelError: the chat template cannot be used.
    """
    template = open_template(tokenizer)
    replay = _Replay(turn for turn in turns if turn.user_id != user_id)
    frame = Frame(
        user=user,
        user_id=user_id,
        language=language or _language(user, replay),
        instructions=tuple(instructions),
        memory=memory,
        passages=_unique(passages),
    )
    fitting = _Fitting(template, frame, replay, limit_tokens - reserve_tokens)
    fitted, made = fitting.fit(), None
    if fitted is None:
        raise PromptTooLong(needed=fitting.core_tokens() + reserve_tokens, limit=limit_tokens)
    if not fitted.is_complete:
        match on_overflow:
            case "error":
                raise PromptTooLong(needed=fitting.all_tokens(fitted) + reserve_tokens, limit=limit_tokens)
            case "drop_oldest":
                fitted = fitting.with_summary(summary, fitted)
            case "summarise":
                fitted = fitting.with_summary(summary, fitted)
                fitted, made = fitting.summarised(summarise, fitted)
            case _:
                assert_never(on_overflow)
    return Rendered(
        prompt=_prompt(fitted, limit_tokens=limit_tokens, reserve_tokens=reserve_tokens),
        summary=made,
        notices=_notices(fitted.frame),
    )


class _Replay:
    """Turns that can be gone through again without reading their source twice."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._reader = iter(turns)
        self._read: list[Turn] = []

    def __iter__(self) -> Iterator[Turn]:
        position = 0
        while True:
            if position == len(self._read):
                turn = next(self._reader, None)
                if turn is None:
                    return
                self._read.append(turn)
            yield self._read[position]
            position += 1


@dataclass(frozen=True)
class _Fitting:
    """The whole frame, its turns, and the tokens they may take together."""

    template: Template
    frame: Frame
    turns: _Replay
    room: int

    def fit(self, *, summary: Summary | None = None, room: int | None = None) -> Fitted | None:
        frame = replace(self.frame, summary=summary)
        return fit(self.template, frame, turns=self.turns, room=self.room if room is None else room)

    def with_summary(self, summary: Summary | None, fitted: Fitted) -> Fitted:
        """The summary in place of the turns it covers; `fitted` if it costs more than turns."""
        if summary is None or not fitted.left_out:
            return fitted
        again = self.fit(summary=summary)
        if again is None or len(again.dropped_passages) > len(fitted.dropped_passages):
            return fitted
        return again

    def summarised(self, summarise: Summariser, fitted: Fitted) -> tuple[Fitted, Summary | None]:
        """Half the free room for the newest turns, a quarter for a summary of those before them.

        The rest stays free, so that the next turns fit and the summary, and
        with it the beginning of the prompt, does not change at each of them.
        """
        previous = fitted.frame.summary
        if not _uncovered(fitted.left_out, previous):
            return fitted, None
        base = len(lay_out(self.template, replace(fitted.frame, turns=(), summary=None)).ids)
        free = self.room - base
        halved = self.fit(summary=previous, room=base + free // 2) or fitted
        made = summarise(
            _uncovered(halved.left_out, previous),
            previous=previous,
            language=self.frame.language,
            max_tokens=free // 4,
            count=lambda text: self.template.count(text, enough=self.room),
        )
        again = self.with_summary(made, fitted)
        return (again, made) if again.frame.summary is made else (fitted, None)

    def core_tokens(self) -> int:
        """Length of what may never be left out."""
        return self._length(replace(self.frame, passages=(), memory=""))

    def all_tokens(self, fitted: Fitted) -> int:
        """Length of the prompt with everything in it, as far back as it was read."""
        return self._length(replace(self.frame, turns=(*fitted.left_out, *fitted.frame.turns)))

    def _length(self, frame: Frame) -> int:
        """Exact but for texts so long that counting them would take seconds: then a lower bound."""
        spoken = frame.spoken()
        if sum(len(message.content) for message in spoken) <= _COUNTED_CHARS:
            return len(lay_out(self.template, frame).ids)
        return estimate(self.template, spoken, enough=self.room)


def _uncovered(turns: Sequence[Turn], summary: Summary | None) -> list[Turn]:
    covered = frozenset(summary.covers) if summary is not None else frozenset()
    return [turn for turn in turns if turn.user_id not in covered]


def _prompt(fitted: Fitted, *, limit_tokens: int, reserve_tokens: int) -> Prompt:
    return Prompt(
        text=fitted.laid.text,
        ids=fitted.laid.ids,
        segments=fitted.laid.segments,
        fit=_report(fitted, limit_tokens=limit_tokens, reserve_tokens=reserve_tokens),
        messages=tuple(message.as_message() for message in fitted.frame.spoken()),
        weights=tuple((one.id, one.weight) for one in fitted.frame.instructions if one.weight != 1.0),
    )


def _report(fitted: Fitted, *, limit_tokens: int, reserve_tokens: int) -> FitReport:
    frame = fitted.frame
    uncovered = _uncovered(fitted.left_out, frame.summary)
    named = {turn.user_id for turn in uncovered}
    summarised = [turn for turn in fitted.left_out if turn.user_id not in named]
    return FitReport(
        limit_tokens=limit_tokens,
        used_tokens=len(fitted.laid.ids),
        reserved_tokens=reserve_tokens,
        kept=(
            *(instruction.id for instruction in frame.instructions),
            *([frame.summary.id] if frame.summary is not None and frame.summary.text else []),
            *_refs(frame.turns),
            *([MEMORY_REF] if frame.memory else []),
            frame.user_id,
        ),
        dropped=(
            *_refs(uncovered),
            *(passage.id for passage in fitted.dropped_passages),
            *([MEMORY_REF] if fitted.dropped_memory else []),
        ),
        summarised=_refs(summarised),
        retrieved=tuple(passage.id for passage in frame.passages),
        unlisted_turns=fitted.num_unlisted,
    )


def _refs(turns: Sequence[Turn]) -> tuple[str, ...]:
    """Ids of what was said in these turns, in order."""
    return tuple(ref for turn in turns for ref in (turn.user_id, turn.reply_id) if ref)


def _unique(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    found: dict[str, Passage] = {}
    for passage in passages:
        found.setdefault(passage.id, passage)
    return tuple(found.values())


def _language(user: str, turns: Iterable[Turn]) -> Language:
    """The language of the newest message that has one."""
    texts = chain([user], (turn.user for turn in islice(turns, _LANGUAGE_TURNS)))
    return next(
        (found for text in texts if (found := detect_language(text[:_LANGUAGE_CHARS])) != "und"), "en"
    )


def _notices(frame: Frame) -> tuple[str, ...]:
    """What was taken out of texts before they entered the prompt."""
    told = []
    for message in frame.spoken():
        for part in message.parts:
            if removed := clean(part.text).removed:
                told.append(f"{part.kind} {part.ref!r}: removed {', '.join(removed)}")
    return tuple(told)
