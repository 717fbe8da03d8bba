"""The graph: an append-only log of triples, folded into entities with all their names.

    log = TripleLog(Path("graph.jsonl"))
    log.append(extract(text, source="guide.md"))
    graph = Graph.fold(log.read())
    graph.about("故宫", "票价")              # statements with their evidence

Names are one entity where they are equal in NFKC without case, or nearly so
(rapidfuzz) and alike in every digit. Which names were merged is told by `merged`.
Values that begin with a figure are no entities and never merged.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dialog.errors import SkillError
from dialog.text import is_han, normalise
from skills.triples.rules import same_relation
from skills.triples.values import Triple

_NEAR = 90.0
_LEAST_LATIN, _LEAST_HAN = 6, 5
"""Shorter names are one only if they are equal: 张三 and 张三丰 are two."""
_FIGURE = re.compile(r"^[¥￥$€£]?\s*\d")


class TripleLog:
    """A JSONL file, one triple a line; written at its end and never changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, triples: Sequence[Triple]) -> None:
        """Durable when it returns. Raises SkillError."""
        content = "".join(one.model_dump_json() + "\n" for one in triples).encode("utf-8")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise SkillError(f"{self.path} cannot be written: {error.strerror}") from error

    def read(self) -> Iterator[Triple]:
        """The triples in order; a last line that was cut off is left out. Raises SkillError."""
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise SkillError(f"{self.path} cannot be read: {error.strerror}") from error
        lines = content.split(b"\n")
        for number, line in enumerate(lines[:-1], start=1):
            try:
                yield Triple.model_validate_json(line)
            except ValidationError as error:
                raise SkillError(f"{self.path}, line {number}: is no triple; remove the line") from error


class Graph:
    """Entities by their first name, and statements between them in the order they came."""

    def __init__(self) -> None:
        self.statements: list[Triple] = []
        self._names: dict[str, str] = {}
        self._aliases: dict[str, list[str]] = {}
        self._known: set[tuple[str, str, str, str, int]] = set()

    @classmethod
    def fold(cls, triples: Iterable[Triple]) -> Graph:
        """The graph of triples; the same triple from the same place counts once."""
        graph = cls()
        for triple in triples:
            graph.add(triple)
        return graph

    def add(self, triple: Triple) -> None:
        """Take a triple in; its names join entities that are known."""
        where = triple.evidence
        key = (triple.subject, triple.relation, triple.object, where.source, where.start)
        if key not in self._known:
            self._known.add(key)
            self.statements.append(triple)
            self._join(triple.subject)
            self._join(triple.object)

    @property
    def merged(self) -> dict[str, list[str]]:
        """Entities with more than one name."""
        return {name: names for name, names in self._aliases.items() if len(names) > 1}

    def entity(self, name: str) -> str | None:
        """The entity a name means: equal, or near enough; None where there is none."""
        key = normalise(name).strip()
        return self._names.get(key) or self._near(key)

    def entities(self) -> list[str]:
        """First names, in the order they came."""
        return list(self._aliases)

    def about(self, name: str, relation: str) -> list[Triple]:
        """Statements of an entity under a relation by any of its names, each object once."""
        entity, wanted = self.entity(name), same_relation(relation)
        found: dict[str, Triple] = {}
        for one in self.statements:
            if self.entity(one.subject) == entity and same_relation(one.relation) == wanted and entity:
                found.setdefault(normalise(one.object), one)
        return list(found.values())

    def named_in(self, text: str) -> list[str]:
        """Entities a text names, the longest names first."""
        low = normalise(text)
        found = [(len(key), entity) for key, entity in self._names.items() if _stands_in(key, low)]
        return list(dict.fromkeys(entity for _, entity in sorted(found, key=lambda one: -one[0])))

    def json_ld(self) -> dict[str, Any]:
        """Entities with schema.org's `name` and `alternateName`; statements with their evidence."""
        number = {name: f"_:e{place}" for place, name in enumerate(self._aliases)}
        nodes: list[dict[str, Any]] = [
            {"@id": number[name], "name": name, **({"alternateName": names[1:]} if len(names) > 1 else {})}
            for name, names in self._aliases.items()
        ]
        statements = [
            {
                "@type": "rdf:Statement",
                "rdf:subject": {"@id": number[self.entity(one.subject) or one.subject]},
                "rdf:predicate": one.relation,
                "rdf:object": {"@id": number[self.entity(one.object) or one.object]},
                "citation": one.evidence.model_dump(),
            }
            for one in self.statements
        ]
        context = {
            "@vocab": "https://schema.org/",
            "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        }
        return {"@context": context, "@graph": [*nodes, *statements]}

    def graphml(self) -> bytes:
        """GraphML of a directed multigraph, for Gephi, yEd, Cytoscape."""
        import networkx

        graph: Any = networkx.MultiDiGraph()
        for name, names in self._aliases.items():
            graph.add_node(name, aliases=json.dumps(names[1:], ensure_ascii=False))
        for one in self.statements:
            graph.add_edge(
                self.entity(one.subject),
                self.entity(one.object),
                relation=one.relation,
                evidence=one.evidence.text,
                source=one.evidence.source,
            )
        out = BytesIO()
        networkx.write_graphml(graph, out)
        return out.getvalue()

    def _join(self, name: str) -> None:
        key = normalise(name).strip()
        if key in self._names:
            return
        entity = self._near(key)
        if entity is None:
            entity = name
            self._aliases[entity] = []
        self._names[key] = entity
        self._aliases[entity].append(name)

    def _near(self, key: str) -> str | None:
        from rapidfuzz import fuzz, process

        if _FIGURE.match(key) or len(key) < (_LEAST_HAN if is_han(key[:1]) else _LEAST_LATIN):
            return None
        digits = re.findall(r"\d+", key)
        names = [one for one in self._names if re.findall(r"\d+", one) == digits and not _FIGURE.match(one)]
        best = process.extractOne(key, names, scorer=fuzz.ratio, score_cutoff=_NEAR)
        return self._names[best[0]] if best else None


def _stands_in(key: str, low: str) -> bool:
    return key in low if is_han(key[:1]) else re.search(rf"(?<!\w){re.escape(key)}(?!\w)", low) is not None
