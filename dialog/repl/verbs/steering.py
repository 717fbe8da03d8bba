"""Commands that change how the agent answers: instructions, skills, ratings, settings."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from dialog.config import known_keys
from dialog.instructions import resolve
from dialog.repl.command import Choice, Command
from dialog.repl.context import CommandError, ReplSession
from dialog.repl.view import choice_lines, instruction_lines, pairs
from dialog.values import Sampling

_SCORES = {"+": 1.0, "up": 1.0, "good": 1.0, "-": -1.0, "down": -1.0, "bad": -1.0}
_AUTO = "auto"
_OFF = "off"


def instructions(session: ReplSession, argument: str) -> None:
    """The stack, who wins, and what ratings taught; `add TEXT`, `drop N` and `reset CHOICE` change it."""
    agent, here = session.agent, session.conversation_id
    verb, _, rest = argument.partition(" ")
    if verb == "add" and rest.strip():
        agent.instruct(here, rest.strip())
    elif verb == "drop" and rest.strip():
        agent.drop_instruction(here, session.pick("instructions", rest.strip()))
    elif verb == "reset" and rest.strip():
        agent.reset_choice(rest.strip())
    elif argument:
        raise CommandError("/instructions shows them; add TEXT, drop N or reset CHOICE changes them")
    stack = resolve(agent.state(here).instructions)
    session.listed["instructions"] = [instruction.id for instruction in stack.active]
    session.show(*instruction_lines(agent.config.values.prompt.system, stack))
    for choice in agent.choices():
        session.show(*choice_lines(choice, used=set(session.listed["instructions"])))


def skills(session: ReplSession, argument: str) -> None:
    """What the agent can do."""
    specs = [skill.spec for skill in session.agent.skills]
    rows = [(spec.name, f"{spec.description} ({', '.join(spec.languages)})") for spec in specs]
    session.show(pairs(rows, marked=session.agent.state(session.conversation_id).skill))


def skill(session: ReplSession, argument: str) -> None:
    """Give the conversation to one skill, or back to the router with `auto`."""
    names = [skill.spec.name for skill in session.agent.skills]
    if not argument:
        current = session.agent.state(session.conversation_id).skill
        session.say(f"skill: {current or _AUTO}; /skill NAME changes it, /skills lists them")
        return
    if argument not in (*names, _AUTO):
        raise CommandError(f"there is no skill {argument!r}; there are {', '.join(names)} and {_AUTO}")
    session.agent.enter_skill(session.conversation_id, None if argument == _AUTO else argument)
    session.say(f"skill: {argument}")


def rate(session: ReplSession, argument: str) -> None:
    """What you think of the last reply: a score, perhaps a reason, perhaps how it should read."""
    session.reply()
    said, _, better = argument.partition("=>")
    word, _, reason = said.strip().partition(" ")
    score = _score(word)
    session.agent.rate(
        session.conversation_id,
        score,
        reason=reason.strip(),
        better=better.strip() or None,
    )
    session.say(f"rated {score:+.1f}" + (", your wording is kept" if better.strip() else ""))


def change_setting(session: ReplSession, argument: str) -> None:
    """Show what is set, or set one key for this session."""
    key, separator, value = argument.partition("=")
    if not separator:
        key, separator, value = argument.partition(" ")
    key = key.strip()
    if not argument:
        rows = [(name, f"{_value(session, name)} ({_origin(session, name)})") for name in known_keys()]
        session.show(pairs(rows))
    elif not separator:
        session.say(f"{key} = {_value(session, key)!r} ({_origin(session, key)})")
    elif key.startswith("sampling."):
        session.sampling = _sampling(session, key, value.strip())
        session.say(f"{key} = {_value(session, key)!r}, until you leave")
    else:
        session.reconfigure([f"{key}={value.strip()}"])
        session.say(f"{key} = {_value(session, key)!r}, until you leave")


def _sampling(session: ReplSession, key: str, value: str) -> Sampling:
    changed = session.agent.config.changed([f"{key}={value}"]).values.sampling
    name = key.partition(".")[2]
    before = session.sampling or session.agent.config.values.sampling
    try:
        return Sampling.model_validate({**before.model_dump(), name: getattr(changed, name)})
    except ValidationError as error:
        raise CommandError(f"{key} = {value!r}: {error.errors()[0]['msg']}") from error


def _value(session: ReplSession, key: str) -> object:
    section, _, name = key.partition(".")
    if key not in known_keys():
        session.agent.config.changed([f"{key}=0"])  # says which key is the nearest
    if section == "sampling" and session.sampling is not None:
        return getattr(session.sampling, name)
    return getattr(getattr(session.agent.config.values, section), name)


def _origin(session: ReplSession, key: str) -> str:
    name = key.partition(".")[2]
    sampling, configured = session.sampling, session.agent.config.values.sampling
    if key.startswith("sampling.") and sampling and getattr(sampling, name) != getattr(configured, name):
        return "/set"
    return session.agent.config.origin(key)


def decoder(session: ReplSession, argument: str) -> None:
    """Which instruction decoder answers in this conversation from now on."""
    word = argument.strip()
    if not word:
        raise CommandError("/decoder needs the folder of a decoder, or off")
    session.agent.use_decoder(None if word == _OFF else word, session.conversation_id)
    session.say("The model answers alone." if word == _OFF else f"Answers come through {word}.")


def adapter(session: ReplSession, argument: str) -> None:
    """Which of the configured adapters answers in this conversation from now on."""
    name = argument.strip()
    if not name:
        raise CommandError("/adapter needs a name of model.adapters, or off")
    session.agent.use_adapter(None if name == _OFF else name, session.conversation_id)
    session.say("No adapter is used." if name == _OFF else f"Answers come through {name}.")


def _score(word: str) -> float:
    if word.lower() in _SCORES:
        return _SCORES[word.lower()]
    try:
        score = float(word)
    except ValueError:
        score = float("nan")
    if not -1 <= score <= 1:
        raise CommandError(
            "/rate needs good, bad or a number from -1 to 1; then a reason, then => a better reply"
        )
    return score


def _scores(session: ReplSession, argument: str) -> Iterable[Choice]:
    return (("good", "1"), ("bad", "-1"))


def _skills(session: ReplSession, argument: str) -> Iterable[Choice]:
    specs = [skill.spec for skill in session.agent.skills]
    return (*((spec.name, spec.description) for spec in specs), (_AUTO, "the router picks"))


def _adapters(session: ReplSession, argument: str) -> Iterable[Choice]:
    return (*session.agent.config.values.model.adapters.items(), (_OFF, "none of them"))


def _keys(session: ReplSession, argument: str) -> Iterable[Choice]:
    return ((f"{key}=", str(_value(session, key))) for key in known_keys())


def _changes(session: ReplSession, argument: str) -> Iterable[Choice]:
    names = (choice.name for choice in session.agent.choices())
    return (("add", "TEXT"), ("drop", "N"), *((f"reset {name}", "forget ratings") for name in names))


COMMANDS = (
    Command(
        "/instructions",
        "[add TEXT | drop N | reset CHOICE]",
        "what the agent is told, who wins, what ratings taught",
        instructions,
        _changes,
    ),
    Command("/skills", "", "what the agent can do", skills),
    Command("/skill", "[NAME | auto]", "let one skill answer", skill, _skills),
    Command("/decoder", "FOLDER | off", "another instruction decoder in this conversation", decoder),
    Command("/adapter", "NAME | off", "another adapter in this conversation", adapter, _adapters),
    Command("/rate", "SCORE [REASON] [=> BETTER]", "rate the last reply: good, bad, -1 to 1", rate, _scores),
    Command("/set", "[KEY=VALUE]", "show or change settings until you leave", change_setting, _keys),
)
