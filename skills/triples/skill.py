"""The skill: triples of texts, and questions to the graph they make, answered with the sentence they rest on.

[skills.options.triples]
graph = "graph.jsonl"       # the log; `skill run` appends to it, a conversation asks it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from dialog.errors import SkillError
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.text import is_han, normalise
from dialog.values import Value
from skills.triples.graph import Graph, TripleLog
from skills.triples.rules import extract, relation_names
from skills.triples.values import Triple

_ASKED = (
    re.compile(
        r"(?:what|who|where|when)(?:'s| is| was| are) (?:the )?(?P<r>[\w ]+?) of (?:the )?(?P<s>.+?)[?？.]*$",
        re.I,
    ),
    re.compile(r"(?:what|who|where|when)(?:'s| is| was| are) (?P<s>.+?)['’]s (?P<r>[\w ]+?)[?？.]*$", re.I),
    re.compile(
        r"(?P<s>.+?)的(?P<r>[^的]{1,8}?)(?:是(?:多少|什么|谁|哪里|哪儿|哪个|几)?|有哪些|在哪里?|呢)?[?？。]*$"
    ),
)
_SURE = 0.8


class Text(Value):
    """A text to read; `source` names it in the evidence."""

    text: str = Field(min_length=1)
    source: str = ""


class Extracted(Value):
    """The triples of a text; `facts` are the same without their places."""

    facts: tuple[tuple[str, str, str], ...]
    triples: tuple[Triple, ...]


class Triples:
    """Reads entities and relations, and answers from them."""

    spec = SkillSpec(
        name="triples",
        description="entities and relations of texts, and questions about them",
        input=Text,
        output=Extracted,
        cases=Path(__file__).with_name("cases.jsonl"),
        titles={"en": "a fact from the graph", "zh": "查询图谱"},
    )

    def __init__(self) -> None:
        self._opened: tuple[tuple[str, int], Graph] | None = None

    def matches(self, turn: SkillTurn) -> float:
        """Only where the graph has an answer."""
        if "graph" not in turn.tools.options("triples"):
            return 0.0
        return _SURE if self._found(turn) else 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """The objects asked for, each with its sentence and source. Raises SkillError."""
        if "graph" not in turn.tools.options("triples"):
            raise SkillError('triples has no graph; set [skills.options.triples] graph = "FILE.jsonl"')
        found = self._found(turn)
        if not found:
            none = "图谱里没有这条信息。" if turn.language == "zh" else "The graph does not say."
            yield from turn.say(none, finish_reason="abstained")
            return
        turn.note_intent("triples", _SURE)
        yield from turn.say(
            "\n".join(_told(one, is_chinese=turn.language == "zh") for one in found), mode="template"
        )

    def work(self, items: Sequence[Text], tools: Tools) -> Iterator[Extracted]:
        """One record a text, in order; appended to the configured graph, if any. Raises SkillError."""
        path = tools.options("triples").get("graph")
        log = TripleLog(Path(str(path))) if path is not None else None
        for item in items:
            triples = extract(item.text, source=item.source)
            if log is not None and triples:
                log.append(triples)
            facts = tuple((one.subject, one.relation, one.object) for one in triples)
            yield Extracted(facts=facts, triples=tuple(triples))

    def _found(self, turn: SkillTurn) -> list[Triple]:
        graph = self._graph(Path(str(turn.tools.options("triples")["graph"])))
        return ask(graph, turn.text)

    def _graph(self, path: Path) -> Graph:
        try:
            state = path.stat()
        except FileNotFoundError:
            return Graph()
        except OSError as error:
            raise SkillError(f"{path} cannot be read: {error.strerror}") from error
        key = (str(path), state.st_size)
        if self._opened is None or self._opened[0] != key:
            self._opened = (key, Graph.fold(TripleLog(path).read()))
        return self._opened[1]


def ask(graph: Graph, question: str) -> list[Triple]:
    """Statements that answer "what is the R of S", "S's R", S的R是什么, or name an entity and a relation."""
    for pattern in _ASKED:
        if match := pattern.search(question.strip()):
            found = graph.about(match["s"].strip(), match["r"].strip())
            if found:
                return found
    low = normalise(question)
    for entity in graph.named_in(question):
        rest = low.replace(normalise(entity), " ")
        for name in sorted(relation_names(), key=len, reverse=True):
            stands = name in rest if is_han(name[0]) else re.search(rf"\b{re.escape(name)}\b", rest)
            if stands and (found := graph.about(entity, name)):
                return found
    return []


def _told(one: Triple, *, is_chinese: bool) -> str:
    where = one.evidence.source
    if is_chinese:
        return f"{one.object}（依据：“{one.evidence.text}”{f'，{where}' if where else ''}）"
    return f'{one.object} (from: "{one.evidence.text}"{f", {where}" if where else ""})'
