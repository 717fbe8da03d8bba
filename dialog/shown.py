"""What the model is shown for a turn, what a search may lean on, and the search.

rendered = render_turn(parts, conversation, said=said, passages=passages, sampling=sampling)
rendered.prompt.fit.dropped
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from dialog.conversation import Conversation
from dialog.draft import Draft, Parts, Request
from dialog.entries import UserSaid
from dialog.instructions import Instruction, resolve
from dialog.prompt.frame import MEMORY_REF
from dialog.prompt.render import Rendered, render
from dialog.state import DialogState, fold, visible_turns_back
from dialog.values import Message, Passage, Sampling, SearchResult

HISTORY_TURNS = 4
"""How many earlier turns a search and a support check may lean on."""


def render_turn(
    parts: Parts,
    conversation: Conversation,
    *,
    said: UserSaid,
    passages: Sequence[Passage],
    sampling: Sampling,
    without: frozenset[str] = frozenset(),
    besides: Sequence[Instruction] = (),
) -> Rendered:
    """The prompt for `said`, exactly as the model is shown it.

    Args:
        besides: instructions of this prompt alone, after those on record.
        without: ids of instructions, passages and turns (their messages') to leave out, to see what they do.

    Raises:
        PromptTooLong: instructions, `said` and the reply's reserve alone exceed the limit.
    """
    settings = parts.settings.prompt
    state = fold(conversation)
    system = Instruction(id="system", text=settings.system, source="system", scope="deployment")
    stack = resolve((system, *state.instructions, *besides))
    limit = min(parts.model.info.context_tokens, settings.limit_tokens or parts.model.info.context_tokens)
    return render(
        parts.model.tokenizer,
        instructions=[one for one in stack.active if one.id not in without],
        turns=(turn for turn in visible_turns_back(conversation) if turn.user_id not in without),
        passages=[one for one in passages if one.id not in without],
        user=said.text,
        user_id=said.id,
        limit_tokens=limit,
        reserve_tokens=min(sampling.max_tokens, limit // 2),
        on_overflow=settings.on_overflow,
        summary=state.summary,
        memory="" if MEMORY_REF in without else _memory(state),
    )


def _memory(state: DialogState) -> str:
    return "\n".join(f"{name}: {slot.value}" for name, slot in state.slots.items())


def recent_messages(request: Request) -> list[Message]:
    """The last few exchanges before this turn, oldest first."""
    messages: list[Message] = []
    for turn in visible_turns_back(request.conversation):
        if turn.user_id == request.said.id:
            continue
        if turn.reply is not None:
            messages.append(Message(role="assistant", content=turn.reply))
        messages.append(Message(role="user", content=turn.user))
        if len(messages) >= 2 * HISTORY_TURNS:
            break
    return messages[::-1]


def search(parts: Parts, request: Request, draft: Draft, *, query: str | None = None) -> SearchResult | None:
    """What the knowledge base holds on the user's words, or on `query`; None without one."""
    if parts.retriever is None:
        return None
    started = time.perf_counter()
    result = parts.retriever.search(
        request.said.text if query is None else query,
        top_k=parts.settings.knowledge.top_k,
        history=recent_messages(request),
    )
    draft.retrieve_s += time.perf_counter() - started
    return result
