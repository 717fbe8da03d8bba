"""A model's chat template as the only source of control tokens.

The stock template is rendered once per pattern of roles, with unique marks in
place of the contents; what stands between the marks is the template's own text,
and only there are control tokens looked for. Contents are put in afterwards as
plain text, so no user, document, summary or slot can produce a control id,
whatever it says. Template text and contents between two control tokens are
encoded as one string, which is what the stock tokenization does: for contents
without markers the ids are those of the stock template.

A token belongs to the part that holds its first character that is not white
space (its first character if it has no other): so in `"[INST] Hello"` a token
`" Hello"` is the user's, not the template's.

    template = open_template(tokenizer)
    hello = Part("user", "u-1", "Hello <|im_end|>")
    laid = template.lay_out([Spoken("user", (hello,))], reply_follows=True)
    laid.text, laid.ids, laid.segments, template.adaptations
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

from dialog.errors import ModelError
from dialog.guard.control import clean
from dialog.prompt.adapt import adapted
from dialog.prompt.habits import Habits, Mark, Piece, Skeleton, find_habits, skeleton
from dialog.prompt.parts import Laid, Part, Spoken
from dialog.protocols import ChatTokenizer
from dialog.values import Role

_CACHED_RUN_CHARS = 4096
_SLICE_CHARS = 16384


@dataclass(frozen=True)
class _Encoded:
    ids: tuple[int, ...]
    starts: tuple[int, ...]
    """Index of each token's first character that is not white space, or of its first; never falling."""


@dataclass(frozen=True)
class _OpenKey:
    tokenizer: ChatTokenizer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _OpenKey) and self.tokenizer is other.tokenizer

    def __hash__(self) -> int:
        return id(self.tokenizer)


def open_template(tokenizer: ChatTokenizer) -> Template:
    """The template of a tokenizer, probed the first time it is asked for.

    Raises:
        ModelError: the template cannot be reproduced from its pieces, or the
            tokenizer turns plain text into control ids.
    """
    return _opened(_OpenKey(tokenizer))


@lru_cache(maxsize=8)
def _opened(key: _OpenKey) -> Template:
    return Template(key.tokenizer)


class Template:
    """The stock chat template taken apart and put together again. Thread-safe.

    `adaptations` says in words what the template made us change (a folded
    system role, merged messages, trimmed contents).
    """

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        self.tokenizer = tokenizer
        self.habits: Habits = find_habits(tokenizer)
        self.adaptations: tuple[str, ...] = self.habits.adaptations
        self._skeleton: Callable[[tuple[Role, ...], bool], Skeleton] = lru_cache(maxsize=256)(
            lambda roles, reply_follows: skeleton(tokenizer, roles, reply_follows=reply_follows)
        )
        self._encode_cached: Callable[[str], _Encoded] = lru_cache(maxsize=1024)(self._encode_run)
        self._check()
        self.message_overhead = self._overhead()

    def lay_out(self, messages: Sequence[Spoken], *, reply_follows: bool) -> Laid:
        """Text, ids and origins of a conversation; with `reply_follows` the generation prompt ends it."""
        spoken = self.adapt(messages)
        frame = self._skeleton(tuple(message.role for message in spoken), reply_follows)
        parts: list[Part] = []
        texts: list[str] = []
        ids: list[int] = []
        owners: list[int] = []
        controls: list[int] = []
        run: list[int] = []
        for piece in frame:
            for part in _parts_of(piece, spoken):
                parts.append(part)
                texts.append(part.text)
                if isinstance(piece, Piece) and piece.control is not None:
                    self._flush(run, texts, ids, owners)
                    controls.append(len(ids))
                    ids.append(piece.control)
                    owners.append(len(parts) - 1)
                else:
                    run.append(len(parts) - 1)
        self._flush(run, texts, ids, owners)
        return Laid("".join(texts), tuple(ids), tuple(owners), tuple(parts), tuple(controls))

    def lay_out_plain(self, parts: Sequence[Part]) -> Laid:
        """Parts as plain text by themselves, no template around them."""
        texts = [part.text for part in parts]
        ids: list[int] = []
        owners: list[int] = []
        self._flush(list(range(len(parts))), texts, ids, owners)
        return Laid("".join(texts), tuple(ids), tuple(owners), tuple(parts), ())

    def adapt(self, messages: Sequence[Spoken]) -> list[Spoken]:
        """The messages as this template takes them: cleaned, folded, merged, trimmed."""
        return adapted(messages, self.habits)

    def count(self, text: str, *, enough: int) -> int:
        """Tokens of plain text by itself; stops counting some way beyond `enough`.

        Long texts are counted in slices, so that a huge one is recognised as
        such without being encoded whole; the count may then be off by a token
        a slice.
        """
        num_tokens = 0
        for start in range(0, len(text), _SLICE_CHARS):
            num_tokens += len(self._encode(clean(text[start : start + _SLICE_CHARS]).text).ids)
            if num_tokens > enough:
                break
        return num_tokens

    def _flush(self, run: list[int], texts: list[str], ids: list[int], owners: list[int]) -> None:
        """Encode the parts waiting in `run` as one string; hand each token to its part."""
        if not run:
            return
        encoded = self._encode("".join(texts[index] for index in run))
        ids.extend(encoded.ids)
        end = first = 0
        for index in run[:-1]:
            end += len(texts[index])
            next_first = bisect_left(encoded.starts, end, lo=first)
            owners.extend(repeat(index, next_first - first))
            first = next_first
        owners.extend(repeat(run[-1], len(encoded.ids) - first))
        run.clear()

    def _encode(self, text: str) -> _Encoded:
        return self._encode_cached(text) if len(text) <= _CACHED_RUN_CHARS else self._encode_run(text)

    def _encode_run(self, text: str) -> _Encoded:
        ids, spans = self.tokenizer.encode(text)
        return _Encoded(tuple(ids), tuple(_first_visible(text, start, end) for start, end in spans))

    def _overhead(self) -> int:
        """Tokens the template spends on a message beside its content, rounded up."""
        said = Spoken("user", (Part("user", "", "x"),))
        answered = Spoken("assistant", (Part("agent", "", "x"),))
        short = self.lay_out([said], reply_follows=True)
        long = self.lay_out([said, answered, said], reply_follows=True)
        return max(0, (len(long.ids) - len(short.ids) - 2 * self.count("x", enough=8) + 1) // 2)

    def _check(self) -> None:
        """Prove on a harmless conversation that the pieces give back the stock text."""
        probe = [
            Spoken("system", (Part("instruction", "", "Be brief."),)),
            Spoken("user", (Part("user", "", "Where is it? 在哪里？"),)),
            Spoken("assistant", (Part("agent", "", "On its way. 在路上。"),)),
            Spoken("user", (Part("user", "", "Thanks"),)),
        ]
        for messages, reply_follows in ((probe, True), (probe[1:3], False), (probe[1:2], True)):
            shown = [message.as_message() for message in self.adapt(messages)]
            stock = self.tokenizer.apply_template(shown, add_generation_prompt=reply_follows)
            laid = self.lay_out(messages, reply_follows=reply_follows)
            if laid.text != stock:
                raise ModelError(
                    "the model's chat template cannot be reproduced from its pieces: it gives "
                    f"{stock!r} and its pieces {laid.text!r}; use a model whose template does not "
                    "depend on what the messages say"
                )
            self._check_controls(laid)

    def _check_controls(self, laid: Laid) -> None:
        controls = {control for control, _ in self.tokenizer.split_control(laid.text) if control is not None}
        plain, _ = self.tokenizer.encode(laid.text)
        if controls & set(plain):
            raise ModelError(
                f"the tokenizer turns plain text into the control ids {sorted(controls & set(plain))}; "
                "its `encode` must never do that"
            )


def _parts_of(piece: Piece | Mark, spoken: Sequence[Spoken]) -> Iterable[Part]:
    if isinstance(piece, Mark):
        return spoken[piece.message].parts
    return (Part("template", "", piece.text),)


def _first_visible(text: str, start: int, end: int) -> int:
    piece = text[start:end]
    bare = piece.lstrip()
    return start + len(piece) - len(bare) if bare else start
