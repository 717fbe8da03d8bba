"""The formats transcripts come in: by name, or recognised from the content; a file each.

Modules are loaded when a format is named or has to be recognised. Another
distribution adds one by the entry point group `instructrec.readers`, named as
`--format` will call it: a `corpora.formats.Reader`, or a class of one.

    reader = reader_of("openai")
    reader = recognised(source)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import cast

from corpora.files import Source
from corpora.formats import Reader
from dialog import plugins
from dialog.errors import CorpusError

GROUP = "instructrec.readers"
BUILT_IN: Mapping[str, str] = {
    "canonical": "corpora.readers.canonical",
    "openai": "corpora.readers.openai",
    "sharegpt": "corpora.readers.sharegpt",
    "preference": "corpora.readers.preference",
    "prompt-completion": "corpora.readers.prompt_completion",
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
    if not source.head(1):
        raise CorpusError("is empty; name a file with conversations", path=source.path)
    for reader in _all():
        if reader.sniff(source):
            return reader
    problem = f"in no format that is recognised; name it with --format ({', '.join(names())})"
    raise CorpusError(problem, path=source.path)


def _all() -> Iterator[Reader]:
    yield from map(_built_in, BUILT_IN)
    for name, target in plugins.load(GROUP).found.items():
        if name not in BUILT_IN:
            yield _plugged_in(name, target)


def _built_in(name: str) -> Reader:
    return cast(Reader, import_module(BUILT_IN[name]).READER)


def _plugged_in(name: str, target: object) -> Reader:
    reader = target() if isinstance(target, type) else target
    if not all(hasattr(reader, part) for part in ("name", "loses", "sniff", "read")):
        raise ValueError(f"the reader {name!r} lacks name, loses, sniff or read; see corpora.formats.Reader")
    return cast(Reader, reader)
