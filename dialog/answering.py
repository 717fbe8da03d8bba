"""The grounded answer: abstain, quote, or generate and check, whichever is honest.

A generated sentence is shown only once a passage supports it. A draft that no
passage supports is withheld and the best passage quoted instead; so is every
draft in a language the model does not write. Skills reach this through
`skill.SkillTurn.answer`.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dialog.citations import best_quote, best_relevance, cite, relevance
from dialog.draft import Draft, Handing, Parts, Request
from dialog.events import Event, Notice, PromptReady, TextDelta
from dialog.grounding import Sentence, grounded
from dialog.instructions import Instruction
from dialog.shown import recent_messages, render_turn
from dialog.templates import Filled, fill, fits, is_template
from dialog.values import Chunk, Citation, FitReport, Language, Passage, Prompt, SearchResult

_CLOSER = Instruction(
    id="closer",
    text="Answer with a sentence of the passages, word for word. Add nothing.",
    source="system",
    scope="turn",
)
"""Added where a first draft was not supported by any passage (`knowledge.on_unsupported = "regenerate"`)."""


@dataclass(frozen=True)
class Answering:
    """A turn in a skill's hands; `result` is None without a knowledge base, `told` holds for every prompt."""

    parts: Parts
    request: Request
    draft: Draft
    result: SearchResult | None
    told: tuple[Instruction, ...] = ()

    @property
    def text(self) -> str:
        return self.request.said.text

    @property
    def language(self) -> Language:
        return self.draft.language

    @property
    def passages(self) -> Sequence[Passage]:
        """What was found; a template that is not the best is left out, for its words are not finished."""
        found = self.result.passages if self.result else ()
        return [one for at, one in enumerate(found) if at == 0 or not is_template(one)]

    def grounded(self) -> Iterator[Event]:
        """The grounded answer; without a knowledge base what the model writes."""
        if self.result is None:
            yield from self.unchecked()
        elif self.result.abstain or not self.passages:
            yield from self._admit()
        elif is_template(self.passages[0]) or self._is_approved(self.passages[0]):
            yield PromptReady(fit=self.nothing_shown())
            yield from self._approve(self.passages[0])
        elif self.language not in (*self.parts.model.info.languages, "und"):
            yield PromptReady(fit=self.nothing_shown())
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
                self.draft.handing = Handing()
                yield from self.draft.say("handed_off", finish_reason="handed_off")

    def _is_approved(self, passage: Passage) -> bool:
        return passage.language in (self.language, "und") and fits(self.text, passage)

    def _approve(self, passage: Passage) -> Iterator[Event]:
        """An approved answer word for word, or what it still needs."""
        assert passage.answer is not None
        filled = Filled(passage.answer)
        if is_template(passage):
            filled = fill(passage.answer, self.draft.understood()[1])
        if filled.needs:
            for name in filled.wrong:
                yield Notice(text=f"slot {name!r} does not fit the approved answer; it is asked for again")
            yield from self.draft.ask_for(filled.needs)
            return
        start = passage.text.rfind(passage.answer)
        yield from self._say_from(passage, (start, start + len(passage.answer)), filled.text, mode="template")

    def _quote(self) -> Iterator[Event]:
        """The best passage's own words, cited."""
        passage = self.passages[0]
        start, end = best_quote(self._question, passage)
        if start == end:
            yield Notice(
                text=f"{passage.source!r} speaks to the model instead of the reader; it is not quoted"
            )
            yield from self._admit()
            return
        yield from self._say_from(passage, (start, end), passage.text[start:end], mode="quoted")

    def _say_from(
        self, passage: Passage, span: tuple[int, int], text: str, *, mode: Literal["quoted", "template"]
    ) -> Iterator[Event]:
        """The whole reply rests on one span of a passage."""
        self.draft.mode, self.draft.finish_reason = mode, "stop"
        self.draft.citations.append(
            Citation(
                passage_id=passage.id,
                source=passage.source,
                title=passage.title,
                quote=passage.text[slice(*span)],
                reply_start=0,
                reply_end=len(text),
                char_start=passage.char_start + span[0],
                char_end=passage.char_start + span[1],
                page=passage.page,
                last_page=passage.last_page,
                sheet=passage.sheet,
            )
        )
        yield TextDelta(text=text)

    def unchecked(self) -> Iterator[Event]:
        """Without knowledge there is nothing to check against: show what the model writes."""
        prompt = yield from self.prompt()
        for chunk in self.chunks(prompt):
            if chunk.text:
                yield TextDelta(text=chunk.text)

    def _generate_checked(self) -> Iterator[Event]:
        """A draft, checked before it is shown; what becomes of the rest is `knowledge.on_unsupported`."""
        policy = self.parts.settings.knowledge.on_unsupported
        if policy == "mark":
            yield from self._show_marked()
            return
        yield from self._show_supported()
        if policy == "regenerate" and self._is_withheld:
            yield Notice(text="the model's draft was withheld: no passage supports it; it is asked once more")
            yield from self._show_supported(besides=[_CLOSER])
        if self._is_withheld:
            yield Notice(
                text="the model's draft was withheld: no passage supports it; the best passage is quoted"
            )
            yield from self._quote()

    @property
    def _is_withheld(self) -> bool:
        """True if a draft came to its end and nothing of it could be shown."""
        return self.draft.finish_reason != "interrupted" and not self.draft.citations

    def _show_marked(self) -> Iterator[Event]:
        """All of a draft; the spans that no passage supports are recorded and named."""
        prompt = yield from self.prompt()
        for sentence in self._sentences(self.chunks(prompt)):
            if not sentence.supported:
                self.draft.unsupported.append((sentence.start, sentence.end))
            elif citation := cite(sentence.check, reply_start=sentence.start, reply_end=sentence.end):
                self.draft.citations.append(citation)
            yield TextDelta(text=sentence.text)
            if not sentence.supported:
                yield Notice(text=f"no passage supports: {sentence.text.strip()!r}")

    def _show_supported(self, besides: Sequence[Instruction] = ()) -> Iterator[Event]:
        """Supported sentences, up to the first that is not."""
        prompt = yield from self.prompt(besides)
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
        if withheld and self.draft.citations and self.draft.finish_reason != "interrupted":
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
            besides=(*self.told, *besides),
        )
        self.draft.render_s = time.perf_counter() - started
        self.draft.summary = rendered.summary
        self.draft.prompt = rendered.prompt
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
                draft.reply_tokens += chunk.reply_tokens or len(chunk.ids)
                draft.finish_reason = chunk.finish_reason or draft.finish_reason
                yield chunk
        finally:
            draft.decode_s = time.perf_counter() - started - draft.prefill_s
            close = getattr(chunks, "close", None)
            if close is not None:
                close()

    def nothing_shown(self) -> FitReport:
        """The fit of a turn the model was not asked."""
        return FitReport(
            limit_tokens=self.parts.model.info.context_tokens,
            used_tokens=0,
            reserved_tokens=0,
            retrieved=tuple(passage.id for passage in self.passages),
        )
