"""Checks of one conversation's form: roles, alternation, empty and automatic turns, tool calls, times.

for problem in turn_problems(transcript):
    print(problem.check, problem.turn, problem.message)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

from corpora.checks.finding import Problem
from dialog.guard.control import defuse
from dialog.values import Message, Transcript

_AUTO_REPLY = re.compile(
    r"(?:自动回复|系统自动|此邮件由系统|请勿(?:直接)?回复|正在为您转接|前面还有\d+人|排队中|"
    r"您好[,，!！]?(?:请问)?有什么(?:可以|能)(?:帮|为)|"
    r"亲[,，~～]?在的|客服(?:正忙|繁忙|不在线)|不在线?[,，].{0,12}(?:留言|回复您)|"
    r"out of (?:the )?office|auto(?:matic|mated)?[- ]?(?:reply|response|message)|this is an automated|"
    r"do[- ]not[- ]reply|"
    r"please hold while|you are number \d+ in|all (?:our )?agents are (?:currently )?busy|we(?:'ll|"
    r" will) get back to you (?:as soon|within|shortly)|"
    r"your (?:message|request|ticket) has been received)",
    re.IGNORECASE,
)
_MAX_LOOKED_AT = 400
_CUT = 60


def turn_problems(transcript: Transcript) -> Iterator[Problem]:
    """Problems of roles, turns, tools, times and control markers, in order of the turns."""
    yield from _roles(transcript.messages)
    yield from _tools(transcript.messages)
    for turn, message in enumerate(transcript.messages):
        yield from _content(turn, message)
    yield from _times(transcript.messages)


def is_auto_reply(text: str) -> bool:
    """A text that a machine sends whatever was said."""
    return bool(_AUTO_REPLY.search(text[:_MAX_LOOKED_AT]))


def _roles(messages: tuple[Message, ...]) -> Iterator[Problem]:
    speakers = [
        (turn, message.role) for turn, message in enumerate(messages) if message.role in ("user", "assistant")
    ]
    if not any(role == "user" for _, role in speakers):
        yield Problem("roles", "error", None, "no user speaks; leave the conversation out")
    if not any(role == "assistant" for _, role in speakers):
        yield Problem("roles", "error", None, "no assistant speaks; nothing can be learned or judged")
    for turn, message in enumerate(messages):
        if message.role == "system" and turn and any(place < turn for place, _ in speakers):
            yield Problem(
                "roles", "warning", turn, "a system message in the middle; move it to the beginning"
            )
    if speakers and speakers[0][1] == "assistant":
        yield Problem("alternation", "note", speakers[0][0], "the assistant speaks first")
    for (_, before), (turn, role) in pairwise(speakers):
        acts = role == "assistant" and (messages[turn - 1].role == "tool" or _only_calls(messages[turn]))
        if before == role and not acts:
            yield Problem("alternation", "warning", turn, f"the {role} speaks twice in a row; join the turns")
    if speakers and speakers[-1][1] == "user":
        yield Problem("alternation", "note", speakers[-1][0], "the last question has no answer")


def _only_calls(message: Message) -> bool:
    """A message that calls a tool and says nothing continues what was said before it."""
    return bool(message.tool_calls) and not message.content.strip()


def _content(turn: int, message: Message) -> Iterator[Problem]:
    text = message.content
    if not text.strip():
        if message.role in ("user", "assistant") and not message.tool_calls:
            yield Problem("empty-turn", "error", turn, f"the {message.role} says nothing; remove the turn")
        return
    if message.role in ("user", "assistant") and is_auto_reply(text):
        yield Problem("auto-reply", "warning", turn, f"looks automatic: {_cut(text)!r}; not worth learning")
    if defuse(text) != text:
        yield Problem(
            "control-token", "error", turn, "holds a marker of a chat template; remove it, it is no speech"
        )


def _tools(messages: tuple[Message, ...]) -> Iterator[Problem]:
    open_calls: dict[str, int] = {}
    any_call = False
    for turn, message in enumerate(messages):
        for call in message.tool_calls or ():
            any_call = True
            if call.get("id") is not None:
                open_calls[str(call["id"])] = turn
            yield from _call(turn, call)
        if message.role == "tool":
            if not any_call:
                yield Problem("tools", "error", turn, "a tool answers and nobody called it")
            elif message.tool_call_id and open_calls.pop(message.tool_call_id, None) is None:
                yield Problem("tools", "error", turn, "a tool answers a call that was not made, or twice")
    for turn in open_calls.values():
        yield Problem("tools", "warning", turn, "a tool was called and did not answer")


def _call(turn: int, call: dict[str, object]) -> Iterator[Problem]:
    function = call.get("function")
    if not isinstance(function, dict) or not function.get("name"):
        yield Problem(
            "tools",
            "error",
            turn,
            'a tool call without function.name; write {"function": {"name", "arguments"}}',
        )
        return
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        try:
            parsed = json.loads(arguments or "{}")
        except (ValueError, RecursionError):
            yield Problem("tools", "error", turn, f"the arguments of {function['name']!r} are no JSON")
            return
        if not isinstance(parsed, dict):
            yield Problem("tools", "error", turn, f"the arguments of {function['name']!r} are no JSON object")


def _times(messages: tuple[Message, ...]) -> Iterator[Problem]:
    timed = [(turn, message.time) for turn, message in enumerate(messages) if message.time is not None]
    for (_, before), (turn, time) in pairwise(timed):
        if (before.tzinfo is None) != (time.tzinfo is None):
            yield Problem("times", "warning", turn, "some times have a zone and some have none")
            return
        if time < before:
            yield Problem("times", "warning", turn, "is older than the turn before it; check the order")


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _CUT else flat[: _CUT - 1] + "…"
