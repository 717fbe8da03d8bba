"""What of the made conversations may stay: found again, grounded, in its language, and not said before.

A turn that fails is cut with all that follow it, and why is counted; a
conversation whose first turn fails is dropped. Retrieval is the chat's own, over
an index of the same documents:

* the passage an answer came from must be among the first three found for its
  question, with the turns before as history;
* for a question that nothing answers, retrieval must abstain;
* an answer must be a verbatim part of its document;
* a question must be in the language of its answer;
* a conversation must not resemble an earlier one, its questions alone compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from corpora.checks.duplicates import DuplicateIndex, print_of
from corpora.synth.making import Conversation, Made
from dialog.protocols import Retriever
from dialog.text import detect_language, words
from dialog.values import Message

TOP_K = 3
MAX_QUESTION_WORDS = 60


class Filters:
    """Goes through made conversations and counts what it throws out, by reason."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self.dropped: Counter[str] = Counter()

    def __call__(self, made: Iterable[Conversation]) -> Iterator[Conversation]:
        """What is left, in order."""
        kept = []
        for conversation in made:
            turns = tuple(self._standing(conversation.turns))
            if turns:
                kept.append(Conversation(conversation.number, turns))
        yield from self._different(kept)

    def _standing(self, turns: Iterable[Made]) -> Iterator[Made]:
        history: list[Message] = []
        for turn in turns:
            problem = self._problem(turn, history)
            if problem:
                self.dropped[f"{turn.kind}: {problem}"] += 1
                return
            history += [
                Message(role="user", content=turn.question),
                Message(role="assistant", content=turn.answer),
            ]
            yield turn

    def _problem(self, turn: Made, history: list[Message]) -> str:
        num_words = len(words(turn.question))
        if not 2 <= num_words <= MAX_QUESTION_WORDS:
            return "too short or too long"
        if detect_language(turn.question) != turn.language:
            return "another language than its answer's"
        if turn.kind == "source":
            return ""
        if turn.topic is not None and turn.answer not in turn.topic.text:
            return "answer is not in its passage"
        found = self._retriever.search(turn.question, top_k=TOP_K, history=history)
        if turn.topic is None:
            return "" if found.abstain else "the documents may answer it"
        return "" if turn.topic.passage_id in [one.id for one in found.passages] else "not found again"

    def _different(self, kept: list[Conversation]) -> Iterator[Conversation]:
        index = DuplicateIndex()
        for conversation in kept:
            index.add(print_of("\n".join(turn.question for turn in conversation.turns)))
        copies = {pair.second for pair in index.pairs()}
        self.dropped["conversation: resembles an earlier one"] += len(copies)
        for number, conversation in enumerate(kept):
            if number not in copies:
                yield conversation
