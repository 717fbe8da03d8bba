"""What a user wants and knows, taken from a transcript, or told by it.

    scenario = scenario_of(transcript)
    [goal.say for goal in scenario.goals], [fact.say for fact in scenario.facts]

Of a transcript: a message that answers the assistant's question is a fact,
which is said when it is asked for, or when its goal does not get on without it;
thanks and goodbyes are nothing; every other message is a goal, met by what the
assistant answered. `meta.scenario` is a `Scenario` itself and taken as it is.
`meta.task` is a tau2 task: the reason for the call is the goal, every sentence
of what the user knows a fact, the annotated actions make the end state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError

from dialog.metrics.judged import Action
from dialog.phrases import small_talk
from dialog.replay.free.listening import asks, statements
from dialog.replay.free.tau2 import first_person, told_facts
from dialog.replay.spoken import language_of
from dialog.text import sentences
from dialog.values import Language, Message, Transcript, Value


class Goal(Value):
    """Something the user wants.

    `wants` is what a good answer says; without it any statement will do, or, in
    an environment, the end state.
    """

    say: str = Field(min_length=1)
    wants: str | None = None


class Fact(Value):
    """Something the user knows.

    `about` is the question it answers, as far as one is known. It is due for the
    goal of that number; with None it is said only when asked for.
    """

    say: str = Field(min_length=1)
    about: str = ""
    goal: int | None = None


class Scenario(Value):
    """A user to be played. `script` is what the user really said, `actions` are those that should be done."""

    goals: tuple[Goal, ...] = Field(min_length=1)
    facts: tuple[Fact, ...] = ()
    must_hear: tuple[str, ...] = ()
    actions: tuple[Action, ...] | None = None
    persona: str = ""
    script: tuple[str, ...] = ()
    language: Language = "und"


def scenario_of(transcript: Transcript) -> Scenario:
    """The scenario of a transcript.

    Raises:
        ValueError: it holds none: the user never says anything, or what it tells is malformed.
    """
    meta = transcript.meta or {}
    if isinstance(meta.get("scenario"), dict):
        return _validated({"language": _language(meta["scenario"]), **meta["scenario"]}, "meta.scenario")
    if isinstance(meta.get("task"), dict) and "user_scenario" in meta["task"]:
        return _of_task(meta["task"], transcript)
    return _of_talk(transcript.messages)


def _of_talk(messages: tuple[Message, ...]) -> Scenario:
    goals: list[Goal] = []
    facts: list[Fact] = []
    exchanges = list(_exchanges(messages))
    question = ""
    for said, reply in exchanges:
        is_small = bool(goals) and small_talk(said) is not None
        if goals and question and not asks(said) and not is_small:
            facts.append(Fact(say=said, about=question, goal=len(goals) - 1))
            goals[-1] = goals[-1].model_copy(update={"wants": statements(reply) or goals[-1].wants})
        elif not is_small:
            goals.append(Goal(say=said, wants=statements(reply) or None))
        question = reply if asks(reply) else ""
    if not goals:
        raise ValueError("the user says nothing, so there is nothing to want; leave the conversation out")
    script = tuple(said for said, _ in exchanges)
    return Scenario(goals=tuple(goals), facts=tuple(facts), script=script, language=language_of(script))


def _exchanges(messages: tuple[Message, ...]) -> Iterator[tuple[str, str]]:
    """(what the user said, what was answered), each joined where it is several messages."""
    said: list[str] = []
    reply: list[str] = []
    for message in messages:
        text = message.content.strip()
        if message.role == "user":
            if reply and said:
                yield "\n".join(said), "\n".join(reply)
                said = []
            reply = []
            said += [text] if text else []
        elif message.role == "assistant" and text:
            reply.append(text)
    if said:
        yield "\n".join(said), "\n".join(reply)


def _of_task(task: Mapping[str, Any], transcript: Transcript) -> Scenario:
    instructions = task["user_scenario"].get("instructions") or {}
    criteria = task.get("evaluation_criteria") or {}
    if isinstance(instructions, str):
        parts = [instructions[start:end] for start, end in sentences(instructions)]
        reason, known = transcript.messages[-1].content, " ".join(parts)
    else:
        reason = str(instructions.get("reason_for_call") or transcript.messages[-1].content)
        known = " ".join(str(instructions.get(key) or "") for key in ("known_info", "task_instructions"))
    actions = [
        {"name": one["name"], "arguments": one.get("arguments") or {}}
        for one in criteria.get("actions") or ()
        if one.get("requestor", "assistant") == "assistant"
    ]
    return _validated(
        {
            "goals": [{"say": first_person(reason)}],
            "facts": [{"say": fact} for fact in told_facts(known)],
            "must_hear": [str(one) for one in criteria.get("communicate_info") or ()],
            "actions": actions,
            "persona": str(task["user_scenario"].get("persona") or ""),
            "language": language_of([reason]),
        },
        "meta.task",
    )


def _language(scenario: Mapping[str, Any]) -> Language:
    goals = scenario.get("goals")
    said = [str(goal.get("say", "")) for goal in goals if isinstance(goal, dict)] if goals else []
    return language_of(said)


def _validated(content: Mapping[str, Any], where: str) -> Scenario:
    try:
        return Scenario.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in (where, *first["loc"]))
        raise ValueError(f"{place}: {first['msg']}") from error
