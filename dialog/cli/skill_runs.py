"""Running one skill: on a file of records, on one record, or on what somebody says.

run_file(run, skill, Path("reviews.csv"), out=Path("judged.jsonl"), skip_bad=0)
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import typer
from pydantic import BaseModel, JsonValue

from dialog.cli.arguments import spoken
from dialog.cli.ask import answer
from dialog.cli.progress import progress
from dialog.cli.skill_batch import input_of, outputs, resume, worked
from dialog.cli.skill_records import listed_fields, read_records, record_of, text_fields
from dialog.cli.verb import Run, setting
from dialog.errors import CorpusError
from dialog.skill import Skill


def run_file(run: Run, skill: Skill, source: Path, *, out: Path | None, skip_bad: int) -> None:
    """One output for each record of a file, on stdout or, to be gone on with, in `out`."""
    if out is not None and out.absolute() == source.absolute():
        raise typer.BadParameter("--out is the file of --in; name another")
    read = read_records(source, input_of(skill), skip_bad=skip_bad)
    for bad in read.bad:
        run.warn(f"skipped: {bad}")
    stamp = {"skill": skill.spec.name, "input": read.sha256, "configuration": run.config().values.fingerprint}
    done = resume(out, stamp) if out is not None else 0
    if done:
        run.remark(f"{out}: {done} of {len(read.records)} outputs are there; going on after them")
    with run.agent() as agent, progress(skill.spec.name, shown=run.shows_progress) as advance:
        lines = outputs(skill, read.records[done:], agent.tools)
        if out is None:
            for number, line in enumerate(lines, start=1):
                run.show(line)
                advance(number, len(read.records))
        else:
            with open(out, "a", encoding="utf-8", newline="\n") as file:
                for number, line in enumerate(lines, start=done + 1):
                    file.write(f"{line}\n")
                    file.flush()
                    advance(number, len(read.records))
    where = f" in {out}" if out is not None else ""
    run.remark(f"{len(read.records)} outputs{where}, {len(read.bad)} bad lines skipped")


def work_one(run: Run, skill: Skill, text: str) -> None:
    """The output for one input: a JSON object, or the text of the skill's only needed field."""
    said = spoken(text, name="TEXT")
    item = _item(skill, said)
    with run.agent() as agent:
        for given in worked(skill, [item], agent.tools):
            if run.json:
                run.show_json(given)
            else:
                for name, value in given.model_dump(mode="json").items():
                    run.show(f"{name}: {_shown(value)}")


def answer_one(run: Run, name: str, text: str) -> None:
    """A conversation of one message, in which only this skill answers."""
    said = spoken(text, name="TEXT")
    only = (setting("skills.default", name), f'skills.enabled=["{name}"]')
    with run.agent(*only) as agent:
        answer(run, agent, said, conversation_id=f"skill-{uuid.uuid4().hex[:12]}")


def _item(skill: Skill, said: str) -> BaseModel:
    model = input_of(skill)
    try:
        row = json.loads(said) if said.lstrip().startswith("{") else None
    except (json.JSONDecodeError, RecursionError):
        row = None
    if isinstance(row, dict):
        try:
            return record_of(row, model, path=Path("TEXT"), line=0).item
        except CorpusError as error:
            raise typer.BadParameter(str(error)) from error
    needed = [name for name, field in model.model_fields.items() if field.is_required()] or ["text"]
    if len(needed) != 1 or needed[0] not in text_fields(model):
        raise typer.BadParameter(
            f"{skill.spec.name!r} takes several fields; give a JSON object of {listed_fields(model)}"
        )
    return model.model_validate({needed[0]: said})


def _shown(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
