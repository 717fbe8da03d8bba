"""Skills written without code: a folder with a `SKILL.md`, read and checked, never run.

The front matter says what the skill is and when it is wanted; the body is the
instruction. What such a file says is text: it is shown to the model as an
instruction of one turn and opens nothing. Fields of the public convention that
ask for more (`allowed-tools`) are read over and named in `ignored`.

    found = read_folders([Path("skills")])
    found.skills["refund-policy"].body, [(bad.path, bad.problem) for bad in found.bad]

Source: the Agent Skills convention (name, description, body); `languages`,
`titles`, `triggers`, `examples`, `wordings` and `grounded` are this project's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from dialog.actions import problems_of
from dialog.values import Language, Value

FILE_NAME = "SKILL.md"
_MAX_BYTES = 200_000
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)(.*)\Z", re.DOTALL | re.MULTILINE)


class SkillFile(Value):
    """What a `SKILL.md` says.

    Attributes:
        titles: what a person calls it, by language.
        triggers: phrases that mean this skill wherever they occur.
        examples: messages it is for; like the description, what a turn is compared with.
        wordings: the instruction in a language; the body where there is none.
        grounded: answer from the documents and check; else the model's own words.
        ignored: fields that mean nothing here.
    """

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    description: str = Field(min_length=1, max_length=1024)
    languages: tuple[Language, ...] = ("zh", "en")
    titles: dict[Language, str] = Field(default_factory=dict)
    triggers: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    wordings: dict[Language, str] = Field(default_factory=dict)
    grounded: bool = True
    body: str = Field(min_length=1)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class BadFolder:
    """A folder that cannot be used, and why."""

    path: Path
    problem: str


@dataclass(frozen=True)
class Folders:
    """The skills of some folders by name, in order, and the folders that are none."""

    skills: Mapping[str, SkillFile] = field(default_factory=dict)
    bad: tuple[BadFolder, ...] = ()


def read_folders(roots: Iterable[Path]) -> Folders:
    """Every skill below the roots: a root with a `SKILL.md`, or its sub-folders that have one.

    Of two skills with one name the first read stays. A root that is missing is bad.
    """
    skills: dict[str, SkillFile] = {}
    bad: list[BadFolder] = []
    for root in roots:
        for folder in _folders(root):
            try:
                found = read_skill(folder)
            except (OSError, ValueError) as error:
                bad.append(BadFolder(folder, str(error)))
                continue
            if found.name in skills:
                bad.append(BadFolder(folder, f"the name {found.name!r} is taken; rename one of the two"))
                continue
            skills[found.name] = found
        if not root.is_dir():
            bad.append(BadFolder(root, "there is no such folder; make it or take it out of skills.folders"))
    return Folders(skills, tuple(bad))


def read_skill(folder: Path) -> SkillFile:
    """The skill of a folder.

    Raises:
        OSError: `SKILL.md` cannot be read.
        ValueError: it is no skill; says why.
    """
    content = (folder / FILE_NAME).read_bytes()
    if len(content) > _MAX_BYTES:
        raise ValueError(f"{FILE_NAME} has {len(content)} bytes; {_MAX_BYTES} are the most")
    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    match = _FRONT_MATTER.match(text)
    if match is None:
        raise ValueError(f"{FILE_NAME} does not begin with front matter between two lines of ---")
    said = _front_matter(match[1])
    known = set(SkillFile.model_fields) - {"body", "ignored"}
    given = {key: value for key, value in said.items() if key in known}
    ignored = tuple(sorted(set(said) - known))
    try:
        found = SkillFile.model_validate({**given, "body": match[2].strip(), "ignored": ignored})
    except ValidationError as error:
        raise ValueError(problems_of(error)) from error
    if found.name != folder.resolve().name:
        raise ValueError(
            f"it is called {found.name!r} in a folder called {folder.resolve().name!r}; make them equal"
        )
    return found


def _front_matter(text: str) -> Mapping[str, Any]:
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"the front matter is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(said, dict) or not all(isinstance(key, str) for key in said):
        raise ValueError("the front matter is no table of fields")
    return said


def _folders(root: Path) -> Iterator[Path]:
    if (root / FILE_NAME).is_file():
        yield root
    elif root.is_dir():
        yield from sorted(one.parent for one in root.glob(f"*/{FILE_NAME}"))
