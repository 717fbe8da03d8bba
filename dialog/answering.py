"""The grounded answer: abstain, quote, or generate and check, whichever is honest.

A generated sentence is shown only once a passage supports it. A draft that no
passage supports is withheld and the best passage quoted instead; so is every
draft in a language the model does not write. Skills reach this through
`protocols.SkillTurn.answer`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from dialog.citations import best_quote, best_relevance, cite, relevance
from dialog.conversation import Conversation
from dialog.draft import Draft, Parts, Request
from dialog.entries import UserSaid
from dialog.events import Event, Notice, PromptReady, TextDelta
from dialog.grounding import Sentence, grounded
from dialog.instructions import Instruction, resolve
from dialog.prompt.frame import MEMORY_REF
from dialog.prompt.render import Rendered, render
from dialog.state import DialogState, fold, visible_turns_back
from dialog.values import (
    Chunk,
    Citation,
    FitReport,
    Language,
    Message,
    Passage,
    Prompt,
    Sampling,
    SearchResult,
)

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


@dataclass(frozen=True)
class Answering:
    """A turn in a skill's hands (`protocols.SkillTurn`); `result` is None without a knowledge base."""

    parts: Parts
    request: Request
    draft: Draft
    result: SearchResult | None

    @property
    def text(self) -> str:
        return self.request.said.text

    @property
    def language(self) -> Language:
        return self.draft.language

    @property
    def passages(self) -> Sequence[Passage]:
        return self.result.passages if self.result else ()

    def answer(self) -> Iterator[Event]:
        if self.result is None:
            yield from self._generate()
        elif self.result.abstain or not self.passages:
            yield from self._admit()
        elif self.language not in (*self.parts.model.info.languages, "und"):
            yield PromptReady(fit=self._nothing_shown())
            yield from self._quote()
        else:
            yield from self._generate_checked()

    def _admit(self) -> Iterator[Event]:
        match self.parts.settings.knowledge.on_missing:
            case "abstain":
                yield from self.draft.say("abstain", finish_reason="abstained")
            case "ask":
                yield from self.draft.say("ask", finish_reason="abstained")
            case "hand_off":
                self.draft.wants_hand_off = True
                yield from self.draft.say("handed_off", finish_reason="handed_off")

    def _quote(self) -> Iterator[Event]:
        """The best passage's own words, cited."""
        passage = self.passages[0]
        start, end = best_quote(self._question, passage)
        quote = passage.text[start:end]
        self.draft.mode, self.draft.finish_reason = "quoted", "stop"
        self.draft.citations.append(
            Citation(
                passage_id=passage.id,
                source=passage.source,
                title=passage.title,
                quote=quote,
                reply_start=0,
                reply_end=len(quote),
                char_start=passage.char_start + start,
                char_end=passage.char_start + end,
            )
        )
        yield TextDelta(text=quote)

    def _generate(self) -> Iterator[Event]:
        """Without knowledge there is nothing to check against: show what the model writes."""
        prompt = yield from self.prompt()
        for chunk in self.chunks(prompt):
            if chunk.text:
                yield TextDelta(text=chunk.text)

    def _generate_checked(self) -> Iterator[Event]:
        """Show supported sentences, stop at the first that is not."""
        prompt = yield from self.prompt()
        chunks = self.chunks(prompt)
        claimless: list[Sentence] = []
        withheld = False
        for sentence in self._sentences(chunks):
            if not sentence.supported or not self._on_point(sentence):
                withheld = True
                break
            citation = cite(sentence.check, reply_start=sentence.start, reply_end=sentence.end)
            if citation is None and not self.draft.citations:
                # "Sure!" alone is no answer: wait for a sentence that rests on a passage.
                claimless.append(sentence)
                continue
            for held in claimless:
                yield TextDelta(text=held.text)
            claimless.clear()
            if citation is not None:
                self.draft.citations.append(citation)
            yield TextDelta(text=sentence.text)
        chunks.close()
        if self.draft.finish_reason == "interrupted":
            return
        if not self.draft.citations:
            yield Notice(
                text="the model's draft was withheld: no passage supports it; the best passage is quoted"
            )
            yield from self._quote()
        elif withheld:
            self.draft.finish_reason = "stop"
            yield Notice(text="the rest of the model's draft was withheld: no passage supports it")

    def _on_point(self, sentence: Sentence) -> bool:
        """Whether a supported sentence answers this question rather than another, and is new.

        The first cited sentence must say at least half as much about the
        question as the best sentence of the passages does.
        """
        if sentence.check.passage is None:
            return True
        if any(sentence.check.quote == citation.quote for citation in self.draft.citations):
            return False
        if self.draft.citations:
            return True
        asked = self._question
        return (
            relevance(asked, f"{sentence.check.quote} {sentence.text}")
            >= best_relevance(asked, self.passages) / 2
        )

    @property
    def _question(self) -> str:
        """What the answer must be about: the user's own words, or in context where those say nothing.

        In context the words of earlier answers weigh as much as the question, and
        the same sentence would be quoted again.
        """
        in_context = self.result.rewritten if self.result else None
        if in_context is None or best_relevance(self.text, self.passages) > 0:
            return self.text
        return in_context

    def _sentences(self, chunks: Iterator[Chunk]) -> Iterator[Sentence]:
        said = "\n".join([*(message.content for message in recent_messages(self.request)), self.text])
        return grounded(
            (chunk.text for chunk in chunks),
            passages=self.passages,
            said=said,
            min_support=self.parts.settings.knowledge.min_support,
        )

    def prompt(self, besides: Sequence[Instruction] = ()) -> Generator[Event, None, Prompt]:
        """The prompt of the turn, announced; `besides` are instructions of this prompt alone."""
        started = time.perf_counter()
        rendered = render_turn(
            self.parts,
            self.request.conversation,
            said=self.request.said,
            passages=self.passages,
            sampling=self.request.sampling,
            besides=besides,
        )
        self.draft.render_s = time.perf_counter() - started
        self.draft.summary = rendered.summary
        yield PromptReady(fit=rendered.prompt.fit)
        for notice in rendered.notices:
            yield Notice(text=notice)
        return rendered.prompt

    def chunks(self, prompt: Prompt) -> Generator[Chunk, None, None]:
        """The model's stream, its costs noted in the draft."""
        draft = self.draft
        started = time.perf_counter()
        chunks = self.parts.model.stream(
            prompt,
            sampling=self.request.sampling,
            cache_key=self.request.conversation.id,
            cancel=self.request.cancel,
        )
        try:
            for chunk in chunks:
                draft.prefill_s += chunk.prefill_s or 0.0
                draft.cached_tokens += chunk.cached_tokens or 0
                draft.reply_tokens += len(chunk.ids)
                draft.finish_reason = chunk.finish_reason or draft.finish_reason
                yield chunk
        finally:
            draft.decode_s = time.perf_counter() - started - draft.prefill_s
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _nothing_shown(self) -> FitReport:
        """The fit of a turn the model was not asked."""
        return FitReport(
            limit_tokens=self.parts.model.info.context_tokens,
            used_tokens=0,
            reserved_tokens=0,
            retrieved=tuple(passage.id for passage in self.passages),
        )
