"""Proposals as a file that a person reads, corrects and accepts: TOML, written whole, read back strictly.

    write_review(Path("intents.toml"), "intent", intents, about={"seed": 0})
    accepted = [one for one in read_review(Path("intents.toml"), "intent", Intent) if one.accept]

A file that is there already is not written over: it may hold an afternoon's decisions.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import tomli_w
from pydantic import ValidationError

from corpora.files import replacing
from corpora.schema import told
from dialog.errors import CorpusError
from dialog.values import Value

MAX_BYTES = 256_000_000
_HEAD = """\
# Proposals. Set `accept = true` on what is right, correct what is not, delete what you do not want.
# Texts are scrubbed: [PHONE_1] stands for somebody's number. A conversation's turns count from 0.

"""
AnyValue = TypeVar("AnyValue", bound=Value)


def write_review(
    path: Path, name: str, proposals: Sequence[Value], *, about: Mapping[str, Any], replace: bool = False
) -> None:
    """Write proposals as `[[name]]` tables under what was done to get them.

    Raises:
        CorpusError: the file is there and `replace` is false, or it cannot be written.
    """
    if path.exists() and not replace:
        raise CorpusError("is there already; give another name, or --replace to lose what it says", path=path)
    content: dict[str, Any] = {"about": dict(about)}
    if proposals:
        content[name] = [one.model_dump(mode="json", exclude_none=True) for one in proposals]
    try:
        with replacing(path) as file:
            file.write((_HEAD + tomli_w.dumps(content, multiline_strings=False)).encode("utf-8"))
    except OSError as error:
        raise CorpusError(f"cannot be written: {error.strerror or error}", path=path) from error


def kind_of(path: Path, names: Sequence[str]) -> str:
    """Which of `names` the file proposes; the first where it proposes nothing.

    Raises:
        CorpusError: it cannot be read, is not TOML, or proposes something else.
    """
    content = _content(path)
    found = next((name for name in names if name in content), None)
    if found is None and "about" not in content:
        known = " or ".join(f"[[{name}]]" for name in names)
        raise CorpusError(f"proposes nothing; name a file that has {known}", path=path)
    return found or names[0]


def read_review(path: Path, name: str, kind: type[AnyValue]) -> list[AnyValue]:
    """The proposals of a file, accepted or not.

    Raises:
        CorpusError: it cannot be read, is not TOML, or a proposal is not as it should be.
    """
    content = _content(path)
    tables = content.get(name, [])
    if not isinstance(tables, list):
        raise CorpusError(f"{name} is no list of tables; write [[{name}]]", path=path)
    found = []
    for number, table in enumerate(tables, start=1):
        try:
            found.append(kind.model_validate(table))
        except ValidationError as error:
            raise CorpusError(f"[[{name}]] number {number}: {told(error)}", path=path) from error
    return found


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CorpusError(f"has more than {MAX_BYTES} bytes; name a file of proposals", path=path)
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise CorpusError(f"cannot be read: {error.strerror or error}", path=path) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CorpusError(f"is not TOML: {error}; correct it there", path=path) from error
