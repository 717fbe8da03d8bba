"""Knowledge graphs: triples from texts with the sentences they rest on, merged, drawn, asked."""

from skills.triples.graph import Graph, TripleLog
from skills.triples.rules import extract
from skills.triples.skill import Extracted, Text, Triples
from skills.triples.values import Evidence, Span, Triple

__all__ = ["Evidence", "Extracted", "Graph", "Span", "Text", "Triple", "TripleLog", "Triples", "extract"]
