"""`instructrec skill`: list, run and check the skills that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dialog import plugins
from dialog.cli import output
from dialog.cli.verb import Run, setting, verb
from dialog.errors import SkillError

if TYPE_CHECKING:
    from dialog.skill import Skill

GROUP = "instructrec.skills"
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name of `skill list`.")]


def register(app: typer.Typer) -> None:
    skills = typer.Typer(help="List, run and check skills.", no_args_is_help=True)
    verb(skills, "list")(list_skills)
    verb(skills, "run")(run_skill)
    verb(skills, "test")(test_skill)
    app.add_typer(skills, name="skill")


def list_skills(run: Run) -> None:
    """List the installed skills; those that do not load are named on stderr."""
    rows = []
    loaded = plugins.load(GROUP)
    for name, target in loaded.found.items():
        spec = opened(name, target).spec
        rows.append({"name": name, "description": spec.description, "languages": list(spec.languages)})
    for broken in loaded.broken:
        run.warn(f"skill {broken.name!r} does not load: {broken.error}")
    if run.json:
        run.show_json(rows)
    else:
        run.show(
            output.table(
                [(str(row["name"]), " ".join(row["languages"]), str(row["description"])) for row in rows]
            )
        )


def run_skill(
    run: Run,
    name: Name,
    text: Annotated[str, typer.Argument(metavar="TEXT|-", help="What to say; - reads it from stdin.")],
) -> None:
    """Answer one message with this skill, whatever the router would pick."""
    import uuid

    from dialog.cli.arguments import spoken
    from dialog.cli.ask import answer

    said = spoken(text, name="TEXT")
    one(name)
    only = (setting("skills.default", name), f'skills.enabled=["{name}"]')
    with run.agent(*only) as agent:
        answer(run, agent, said, conversation_id=f"skill-{uuid.uuid4().hex[:12]}")


def test_skill(run: Run, name: Name) -> None:
    """Check that a skill keeps the rules that the router and the turn rely on; exit 1 if not."""
    from dialog.cli.skill_checks import problems

    found = problems(name, one(name))
    if run.json:
        run.show_json({"skill": name, "ok": not found, "problems": found})
    else:
        run.show("\n".join(found) or f"{name}: keeps the rules")
    if found:
        raise typer.Exit(1)


def one(name: str) -> Skill:
    """The skill of that name.

    Raises:
        SkillError: there is none, or it does not load.
    """
    loaded = plugins.load(GROUP, only=name)
    for broken in loaded.broken:
        raise SkillError(f"skill {name!r} of {broken.target} does not load: {broken.error}")
    if name not in loaded.found:
        raise SkillError(f"no skill {name!r}; installed: {', '.join(plugins.names(GROUP)) or 'none'}")
    return opened(name, loaded.found[name])


def opened(name: str, target: object) -> Skill:
    """The skill an entry point names: a class without arguments, or a skill itself."""
    skill = target() if isinstance(target, type) else target
    if not all(hasattr(skill, part) for part in ("spec", "matches", "run")):
        raise SkillError(f"skill {name!r} lacks spec, matches or run; see dialog.protocols.Skill")
    return skill  # type: ignore[return-value]  # the protocol's names are there
