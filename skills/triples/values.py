"""Triples and where they were read."""

from __future__ import annotations

from pydantic import Field

from dialog.values import Value


class Evidence(Value):
    """The sentence a triple was read from: `start:end` index the text of `source`."""

    text: str
    source: str = ""
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Span(Value):
    """A half-open range of the text."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Triple(Value):
    """Subject, relation, object as they are written, and their places in the text."""

    subject: str
    relation: str
    object: str
    subject_span: Span
    object_span: Span
    evidence: Evidence
