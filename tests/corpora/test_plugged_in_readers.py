"""A reader of another distribution joins by the entry point group `instructrec.readers`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpora.files import Source
from corpora.formats import Found, ReadOptions, transcript
from corpora.readers import names, reader_of
from corpora.schema import BadLine
from dialog import plugins
from tests.corpora.conftest import Write
from tests.corpora.making import read, said


class Shouting:
    """Lines that somebody shouts."""

    name = "shouting"
    loses = ()

    def sniff(self, source: Source) -> bool:
        return source.head(10).isupper()

    def read(self, source: Source, options: ReadOptions) -> Iterator[Found | BadLine]:
        text = source.head(1000).decode()
        yield Found(transcript(source.stem, [{"role": "user", "content": text}]))


def install(monkeypatch: pytest.MonkeyPatch, target: object) -> None:
    monkeypatch.setattr(plugins, "names", lambda group: ["shouting"])
    monkeypatch.setattr(plugins, "load", lambda group, only=None: plugins.Loaded({"shouting": target}))


def test_it_is_listed_and_named(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    install(monkeypatch, Shouting)
    assert "shouting" in names()
    assert said(read(write("a.txt", "help"), format="shouting")[0]) == [("user", "help")]


def test_it_is_recognised_after_our_own(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    install(monkeypatch, Shouting)
    assert said(read(write("a.txt", "WHERE IS IT"))[0]) == [("user", "WHERE IS IT")]


def test_what_is_no_reader_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, object())
    with pytest.raises(ValueError, match="the reader 'shouting' lacks name, loses, sniff or read"):
        reader_of("shouting")


def test_one_that_does_not_load_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = plugins.Broken("instructrec.readers", "odd", "acme:Odd", "acme", "ImportError: no")
    monkeypatch.setattr(plugins, "load", lambda group, only=None: plugins.Loaded(broken=(broken,)))
    with pytest.raises(ValueError, match="the reader 'odd' of acme:Odd does not load: ImportError: no"):
        reader_of("odd")
