"""`instructrec skill`: list, run and check the skills that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialog import plugins
from dialog.cli import output
from dialog.cli.verb import Run, verb
from dialog.errors import SkillError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dialog.skill import Skill, SkillSpec

GROUP = "instructrec.skills"
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of `skill list`.")]


def register(app: typer.Typer) -> None:
    skills = typer.Typer(help="List, run and check skills.", no_args_is_help=True)
    verb(skills, "list")(list_skills)
    verb(skills, "run")(run_skill)
    verb(skills, "test")(test_skill)
    app.add_typer(skills, name="skill")


def list_skills(run: Run) -> None:
    """List the installed skills and what they work on; those that do not load are named on stderr."""
    from dialog.cli.skill_records import listed_fields

    loaded = plugins.load(GROUP)
    specs = {name: opened(name, target).spec for name, target in loaded.found.items()}
    specs = {**{name: skill.spec for name, skill in written(run).items()}, **specs}
    for broken in loaded.broken:
        run.warn(f"skill {broken.name!r} does not load: {broken.error}")
    if run.json:
        run.show_json([_described(name, spec) for name, spec in specs.items()])
        return
    run.show(
        output.table([(name, " ".join(spec.languages), spec.description) for name, spec in specs.items()])
    )
    for name, spec in specs.items():
        if spec.input is not None:
            run.show(f"{name}: {listed_fields(spec.input)} -> {listed_fields(spec.output)}")


def run_skill(
    run: Run,
    name: Name,
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT|-",
            help="What to say, or the input of a skill that works on records (text or JSON).",
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--in", metavar="FILE.jsonl|.csv", help="Work on each record; a CSV's header names fields."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE.jsonl", help="Write here, and go on where it ends if it was begun before."
        ),
    ] = None,
    skip_bad: Annotated[
        int, typer.Option("--skip-bad", min=0, metavar="N", help="Bad lines that may be skipped.")
    ] = 0,
) -> None:
    """Run one skill, whatever the router would pick: on one text, or on a file of records.

    A skill that works on records gives its output; others answer as in a conversation.
    """
    from dialog.cli.arguments import exactly_one
    from dialog.cli.skill_runs import answer_one, run_file, work_one
    from dialog.skill import Worker

    exactly_one({"TEXT": text, "--in": source})
    skill = one(run, name)
    if source is not None:
        run_file(run, skill, source, out=out, skip_bad=skip_bad)
        return
    if out is not None or skip_bad:
        raise typer.BadParameter("--out and --skip-bad go with --in")
    assert text is not None
    if isinstance(skill, Worker) and skill.spec.input is not None:
        work_one(run, skill, text)
    else:
        answer_one(run, name, text)


def test_skill(run: Run, name: Name) -> None:
    """Check the rules that the router and the turn rely on, and try the skill's own cases.

    Exit 1 if any fails. Chinese and English cases are counted apart.
    """
    from dialog.cli.skill_cases import try_cases
    from dialog.cli.skill_checks import problems

    skill = one(run, name)
    found = problems(name, skill)
    with run.agent() as agent:
        cases = try_cases(skill, agent.tools)
    failed = bool(found) or any(tried.failures for tried in cases.values())
    if run.json:
        tried = {language: one.model_dump(mode="json") for language, one in cases.items()}
        run.show_json({"skill": name, "ok": not failed, "problems": found, "cases": tried})
    else:
        run.show("\n".join(found) or f"{name}: keeps the rules")
        for language, one_language in cases.items():
            run.show(f"{language}: {one_language.num_passed}/{one_language.num_cases} cases passed")
            for failure in one_language.failures:
                run.show(f"  {failure}")
    if failed:
        raise typer.Exit(1)


def _described(name: str, spec: SkillSpec) -> dict[str, Any]:
    return {
        "name": name,
        "description": spec.description,
        "languages": list(spec.languages),
        "input": _schema(spec.input),
        "output": _schema(spec.output),
    }


def _schema(model: type[BaseModel] | None) -> dict[str, Any] | None:
    return model.model_json_schema() if model is not None else None


def one(run: Run, name: str) -> Skill:
    """The skill of that name, a plug-in or a folder.

    Raises:
        SkillError: there is none, or it does not load.
    """
    loaded = plugins.load(GROUP, only=name)
    for broken in loaded.broken:
        raise SkillError(f"skill {name!r} of {broken.target} does not load: {broken.error}")
    if name in loaded.found:
        return opened(name, loaded.found[name])
    folders = written(run)
    if name not in folders:
        there = ", ".join([*plugins.names(GROUP), *folders])
        raise SkillError(f"no skill {name!r}; installed: {there or 'none'}")
    return folders[name]


def written(run: Run) -> Mapping[str, Skill]:
    """The skills without code, by name; folders that are none are named on stderr."""
    from dialog.prompt_skill import prompt_skills
    from dialog.skill_folder import read_folders

    found = read_folders(run.config().skill_folders)
    for bad in found.bad:
        run.warn(f"skill folder {bad.path}: {bad.problem}")
    return {skill.spec.name: skill for skill in prompt_skills(found.skills.values())}


def opened(name: str, target: object) -> Skill:
    """The skill an entry point names: a class without arguments, or a skill itself."""
    skill = target() if isinstance(target, type) else target
    if not all(hasattr(skill, part) for part in ("spec", "matches", "run")):
        raise SkillError(f"skill {name!r} lacks spec, matches or run; see dialog.skill.Skill")
    return skill  # type: ignore[return-value]  # the protocol's names are there
