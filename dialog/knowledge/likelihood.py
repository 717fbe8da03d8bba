"""The language model as a reranker: how likely it finds the question once it has read the passage.

    reranker = QueryLikelihood(lambda: model)
    reranker.scores("Is it free?", ["Returns are free.", "We open at nine."])

Needs no weights of its own, but reads each passage anew: 20 passages cost what
answering from them would, before the answer begins. Passage and question are
plain text to the model; neither can hold a control token.

Source: Sachan et al. (EMNLP 2022), "Improving Passage Retrieval with Zero-Shot
Question Generation", section 2.2; ours asks in the question's language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dialog.protocols import ChatTokenizer, LanguageModel
from dialog.text import detect_language
from dialog.values import FitReport, Prompt

_PASSAGE_TOKENS = 384
"""A passage is read as far as this; a chunk of the default size has fewer."""
_QUESTION_TOKENS = 128
"""Of a longer question, or one with what was said before it, the end is scored."""


class QueryLikelihood:
    """A `dialog.protocols.Reranker`; `model` is asked for at the first use."""

    name = "model"

    def __init__(self, model: Callable[[], LanguageModel]) -> None:
        self._model = model

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """The logarithm of the question's probability after each passage; at most 0."""
        model = self._model()
        question = _end(model.tokenizer, query)
        is_chinese = detect_language(query) == "zh"
        found = []
        for passage in passages:
            (scored,) = model.score(_prompt(model.tokenizer, passage, is_chinese=is_chinese), [question])
            found.append(scored.total)
        return found


def _prompt(tokenizer: ChatTokenizer, passage: str, *, is_chinese: bool) -> Prompt:
    before, after = (
        ("段落：", "\n请根据这段话写一个问题。\n问题：")
        if is_chinese
        else ("Passage: ", "\nPlease write a question based on this passage.\nQuestion: ")
    )
    _, spans = tokenizer.encode(passage)
    text = f"{before}{passage[: spans[:_PASSAGE_TOKENS][-1][1]] if spans else ''}{after}"
    ids = tuple(tokenizer.encode(text)[0])
    fit = FitReport(limit_tokens=len(ids), used_tokens=len(ids), reserved_tokens=0)
    return Prompt(text=text, ids=ids, segments=(), fit=fit)


def _end(tokenizer: ChatTokenizer, query: str) -> str:
    _, spans = tokenizer.encode(query)
    return query[spans[-_QUESTION_TOKENS][0] :] if len(spans) > _QUESTION_TOKENS else query
