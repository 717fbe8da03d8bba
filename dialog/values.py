"""The values that travel between the rooms: frozen, validated, JSON in and out.

Nothing here computes. A field that other programs read is named in `docs/contracts.md`.

    reply = Reply.model_validate_json(line)
    for citation in reply.citations:
        print(citation.source, citation.quote)
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["system", "user", "assistant", "tool"]
Mode = Literal["generated", "quoted", "template", "fixed"]
FinishReason = Literal["stop", "length", "interrupted", "handed_off", "abstained", "error"]
HandoffStatus = Literal["bot", "waiting", "human"]
SegmentKind = Literal["instruction", "user", "agent", "passage", "memory", "tool", "template"]
Language = Literal["zh", "en", "und"]


class Value(BaseModel):
    """A frozen record: no field can be set, no unknown field is accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Value):
    """One message of a transcript, in OpenAI's shape plus `loss` (train on it?) and `weight`."""

    role: Role
    content: str
    name: str | None = None
    time: datetime | None = None
    tool_calls: tuple[dict[str, Any], ...] | None = None
    tool_call_id: str | None = None
    loss: bool | None = None
    weight: float | None = Field(default=None, ge=0)


class Transcript(Value):
    """One conversation of a JSONL transcript file."""

    id: str = Field(min_length=1)
    messages: tuple[Message, ...] = Field(min_length=1)
    state: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] | None = None


class Turn(Value):
    """One exchange of the path to the head; `reply` is None while none was made, or a person made it."""

    index: int = Field(ge=0)
    user_id: str
    user: str
    reply_id: str | None = None
    reply: str | None = None


class Summary(Value):
    """A derived view of old turns; the turns themselves stay in the record."""

    id: str
    text: str
    covers: tuple[str, ...]
    language: Language


class Legs(Value):
    """Rank (1-based) of a passage in each retrieval leg, None where the leg missed it."""

    lexical: int | None = None
    dense: int | None = None


class Passage(Value):
    """A retrieved piece of a document; `char_start:char_end` index its text, pages count from 1."""

    id: str
    text: str
    source: str
    title: str
    score: float = Field(ge=0, le=1)
    char_start: int = Field(ge=0)
    char_end: int = Field(ge=0)
    page: int | None = Field(default=None, ge=1)
    last_page: int | None = Field(default=None, ge=1)
    sheet: str | None = None
    legs: Legs = Legs()
    answer: str | None = Field(default=None, exclude=True)
    """For an FAQ entry, the approved answer: a verbatim part of `text`."""
    language: Language = Field(default="und", exclude=True)
    metadata: dict[str, Any] = Field(default_factory=dict, exclude=True)
    """What the document says about itself: front matter, further columns."""


class SearchResult(Value):
    """What a query found; `confidence` in [0, 1] is below the threshold when `abstain` is true."""

    query: str
    rewritten: str | None = None
    abstain: bool
    confidence: float = Field(ge=0, le=1)
    passages: tuple[Passage, ...] = ()


class Citation(Value):
    """A span of the reply and the span of the document that supports it, of which `quote` is the text.

    `reply_start:reply_end` index `Reply.text`; page and sheet are those of the whole passage.
    """

    passage_id: str
    source: str
    title: str
    quote: str
    reply_start: int = Field(ge=0)
    reply_end: int = Field(ge=0)
    char_start: int = Field(ge=0)
    char_end: int = Field(ge=0)
    page: int | None = Field(default=None, ge=1)
    last_page: int | None = Field(default=None, ge=1)
    sheet: str | None = None


class Attribution(Value):
    """Share in [0, 1] of a reply that one prompt segment accounts for."""

    segment: str
    kind: Literal["instruction", "turn", "passage", "memory"]
    share: float = Field(ge=0, le=1)


class Segment(Value):
    """A half-open token range of the prompt, and what it came from.

    `ref` is the entry, instruction or passage id; empty for template tokens.
    """

    kind: SegmentKind
    ref: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class FitReport(Value):
    """What the model was shown and what it was not; ids are segment refs.

    `dropped` and `summarised` name the newest turns not shown, `unlisted_turns` counts those before.
    """

    limit_tokens: int
    used_tokens: int
    reserved_tokens: int
    kept: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    summarised: tuple[str, ...] = ()
    retrieved: tuple[str, ...] = ()
    unlisted_turns: int = 0


class Prompt(Value):
    """A rendered prompt: the text, its token ids, where each came from, and how it was fitted.

    `segments` are disjoint, in order, and cover `ids`; `messages` is for engines that render themselves.
    """

    text: str
    ids: tuple[int, ...]
    segments: tuple[Segment, ...]
    fit: FitReport
    messages: tuple[Message, ...] = ()
    weights: tuple[tuple[str, float], ...] = ()
    """Refs of segments an instruction decoder is to heed more or less than others (1), and how much."""


class Sampling(Value):
    """How the next token is chosen. Temperature 0 is greedy and ignores the rest but the penalty."""

    temperature: float = Field(default=0.0, ge=0, le=5)
    top_p: float = Field(default=1.0, gt=0, le=1)
    top_k: int = Field(default=0, ge=0)
    min_p: float = Field(default=0.0, ge=0, le=1)
    repetition_penalty: float = Field(default=1.0, gt=0)
    max_tokens: int = Field(default=256, ge=1)
    seed: int | None = None
    stop: tuple[str, ...] = ()


class Chunk(Value):
    """A piece of a streamed reply: whole characters, the ids behind them, and the end if it is the last.

    `prefill_s`, `cached_tokens` are on one chunk; without ids (a served model) the last has `reply_tokens`.
    """

    text: str = ""
    ids: tuple[int, ...] = ()
    finish_reason: FinishReason | None = None
    prefill_s: float | None = None
    cached_tokens: int | None = None
    reply_tokens: int | None = None


class TokenScores(Value):
    """Log-probabilities (natural) of one continuation's tokens, given the prompt."""

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]

    @property
    def total(self) -> float:
        return sum(self.logprobs)


class ModelInfo(Value):
    """What a loaded model is. `languages` are those it writes well enough to be shown to a customer."""

    name: str
    fingerprint: str
    context_tokens: int
    template_fingerprint: str
    languages: tuple[Language, ...] = ("en",)
    device: str = "cpu"
    dtype: str = "float32"
    num_parameters: int = 0
    adapters: tuple[str, ...] = ()
    engine: str = ""
    """What computes it, and why: "lean, int4: ...", "transformers: model_type = 'phi3' ..."."""


class Timings(Value):
    """Where the seconds and the tokens of a turn went."""

    retrieve_s: float = 0.0
    render_s: float = 0.0
    prefill_s: float = 0.0
    first_token_s: float = 0.0
    decode_s: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    reply_tokens: int = 0


class ReplyState(Value):
    """The dialogue state after the turn, as other programs read it."""

    intent: str | None = None
    slots: dict[str, Any] = Field(default_factory=dict)
    skill: str | None = None
    handoff: HandoffStatus = "bot"


class Fingerprint(Value):
    """What produced a reply; equal fingerprints and seeds give equal replies."""

    model: str
    adapter: str | None = None
    template: str
    prompt: str
    index: str | None = None
    config: str


class Reply(Value):
    """One answered turn: the text, why it says so, what it cost, and what produced it."""

    text: str
    mode: Mode
    finish_reason: FinishReason
    conversation_id: str
    turn_id: str
    skill: str
    citations: tuple[Citation, ...] = ()
    attribution: tuple[Attribution, ...] | None = None
    fit: FitReport
    timings: Timings
    state: ReplyState = ReplyState()
    fingerprint: Fingerprint
    unsupported: tuple[tuple[int, int], ...] = ()
    """Spans of the text that no passage supports; only with `knowledge.on_unsupported = "mark"`."""
    needs: tuple[str, ...] = ()
    """Slots that an approved answer needs and the reply asks for."""
    choices: tuple[str, ...] = ()
    """Skills of which the reply asks which is meant."""
    notices: tuple[str, ...] = ()
    """What the user must be told: a draft that was withheld, a fallback that was taken."""


class Document(Value):
    """A source file's text as the index sees it; spans of chunks index `text`."""

    source: str
    title: str
    text: str
    content_hash: str
    metadata: dict[str, Any] = Field(default_factory=dict)
