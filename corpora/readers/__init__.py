"""The formats transcripts come in: by name, or recognised from the content; a file each.

Modules are loaded when a format is named or has to be recognised. Another
distribution adds one by the entry point group `instructrec.readers`, named as
`--format` will call it: a `corpora.formats.Reader`, or a class of one.

    reader = reader_of("openai")
    reader = recognised(source)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from typing import cast

from corpora.files import Source
from corpora.formats import Reader
from dialog import plugins
from dialog.errors import CorpusError

GROUP = "instructrec.readers"
BUILT_IN: Mapping[str, str] = {
    "canonical": "corpora.readers.canonical",
    "abcd": "corpora.readers.abcd",
    "star": "corpora.readers.star",
    "sgd": "corpora.readers.sgd",
    "crosswoz": "corpora.readers.crosswoz",
    "kdconv": "corpora.readers.kdconv",
    "tweetsumm": "corpora.readers.tweetsumm",
    "doc2dial": "corpora.readers.doc2dial",
    "mobilecs": "corpora.readers.mobilecs",
    "tau2": "corpora.readers.tau2",
    "openai": "corpora.readers.openai",
    "sharegpt": "corpora.readers.sharegpt",
    "preference": "corpora.readers.preference",
    "prompt-completion": "corpora.readers.prompt_completion",
    "zendesk": "corpora.readers.zendesk",
    "intercom": "corpora.readers.intercom",
    "email": "corpora.readers.email",
    "csv": "corpora.readers.table",
    "chat-log": "corpora.readers.chat_log",
}
"""Name -> module, in the order in which a file is tried: the strict before the lenient."""


def names() -> list[str]:
    """Every format that can be read."""
    return [*BUILT_IN, *(name for name in plugins.names(GROUP) if name not in BUILT_IN)]


def reader_of(name: str) -> Reader:
    """The reader of a format.

    Raises:
        ValueError: there is none of that name, or it does not load.
    """
    if name in BUILT_IN:
        return _built_in(name)
    loaded = plugins.load(GROUP, only=name)
    for broken in loaded.broken:
        raise ValueError(f"the reader {name!r} of {broken.target} does not load: {broken.error}")
    if name not in loaded.found:
        raise ValueError(f"no format {name!r}; there are {', '.join(names())}")
    return _plugged_in(name, loaded.found[name])


def recognised(source: Source) -> Reader:
    """The reader whose format the content has; plug-ins are asked last.

    Raises:
        CorpusError: none knows it, or the file cannot be read.
    """
    if source.path.is_dir():
        return _of_folder(source)
    if not source.head(1):
        raise CorpusError("is empty; name a file with conversations", path=source.path)
    for reader in _all():
        if _knows(reader, source):
            return reader
    problem = f"in no format that is recognised; name it with --format ({', '.join(names())})"
    raise CorpusError(problem, path=source.path)


def _of_folder(source: Source) -> Reader:
    from corpora.readers.email import READER, holds_mail

    if holds_mail(source.path):
        return READER
    raise CorpusError("is a folder without .eml files; name its files one by one", path=source.path)


def _all() -> Iterator[Reader]:
    yield from map(_built_in, BUILT_IN)
    for name, target in plugins.load(GROUP).found.items():
        if name not in BUILT_IN:
            with suppress(ValueError):  # `doctor` lists it; it must not stop the others
                yield _plugged_in(name, target)


def _knows(reader: Reader, source: Source) -> bool:
    try:
        return reader.sniff(source)
    except CorpusError:
        raise
    except Exception:  # a plug-in may raise anything on bytes it does not expect
        return False


def _built_in(name: str) -> Reader:
    return cast(Reader, import_module(BUILT_IN[name]).READER)


def _plugged_in(name: str, target: object) -> Reader:
    reader = target() if isinstance(target, type) else target
    if not all(hasattr(reader, part) for part in ("name", "loses", "sniff", "read")):
        raise ValueError(f"the reader {name!r} lacks name, loses, sniff or read; see corpora.formats.Reader")
    return cast(Reader, reader)
