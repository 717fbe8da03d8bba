"""A skill over a file of records: one output a line, in order, and going on where it was stopped.

Beside the outputs stands `FILE.run.json`, which says what they were made from
and with. Started again with the same, the work goes on after the last whole
line; with anything else it is refused, so that no file holds a mixture.

    for line in outputs(skill, records, tools, done=resume(out, stamp)): ...
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, JsonValue

from dialog.cli.skill_records import ID, Record
from dialog.errors import SkillError
from dialog.skill import Skill, Tools, Worker

Stamp = Mapping[str, JsonValue]
"""What outputs depend on: the skill, the input's hash, the configuration's fingerprint."""


def outputs(skill: Skill, records: Sequence[Record], tools: Tools) -> Iterator[str]:
    """One JSON text a record, as they are ready.

    Raises:
        SkillError: it works in conversations alone, refuses, or gives too few or too many.
    """
    name = skill.spec.name
    given = 0
    for given, output in enumerate(worked(skill, [one.item for one in records], tools), start=1):
        if given > len(records):
            break
        record = records[given - 1]
        content = output.model_dump(mode="json")
        beside = {ID: record.id} if record.id is not None else {}
        yield json.dumps({**beside, **content}, ensure_ascii=False)
    if given != len(records):
        raise SkillError(f"skill {name!r} gave {given} outputs for {len(records)} records; report it")


def worked(skill: Skill, items: Sequence[BaseModel], tools: Tools) -> Iterator[BaseModel]:
    """What the skill makes of the items. Raises SkillError."""
    input_of(skill)
    assert isinstance(skill, Worker), "it has an input"
    return skill.work(items, tools)


def input_of(skill: Skill) -> type[BaseModel]:
    """The shape of the skill's records. Raises SkillError if it has no work for records."""
    if not isinstance(skill, Worker) or skill.spec.input is None:
        name = skill.spec.name
        raise SkillError(
            f"skill {name!r} works in conversations, not on records; instructrec skill run {name} TEXT"
        )
    return skill.spec.input


def resume(out: Path, stamp: Stamp) -> int:
    """How many whole lines `out` holds already; cuts off a torn last one and notes the stamp beside it.

    Raises:
        SkillError: `out` was made from or with something else, or by something else.
    """
    beside = out.with_name(f"{out.name}.run.json")
    if not out.exists() or not out.stat().st_size:
        beside.write_text(json.dumps(dict(stamp), ensure_ascii=False) + "\n", encoding="utf-8")
        return 0
    try:
        noted = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        noted = {}
    if not isinstance(noted, dict) or not noted:
        raise SkillError(f"{out} is there and {beside.name} does not say what made it; name another --out")
    if changed := [name for name, value in stamp.items() if noted.get(name) != value]:
        raise SkillError(
            f"{out} was begun with another {' and '.join(changed)}; name another --out, or delete {out}"
        )
    return _whole_lines(out)


def _whole_lines(path: Path) -> int:
    with open(path, "r+b") as file:
        content = file.read()
        kept = content[: content.rfind(b"\n") + 1]
        if len(kept) != len(content):
            file.truncate(len(kept))
            os.fsync(file.fileno())
    return kept.count(b"\n")
