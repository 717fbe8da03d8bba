"""A user by rules: says what the scenario knows, when it is asked for or due, and knows when to stop.

    user = ScriptedUser(scenario, seed=0, conversation_id="c-42")
    said = user.opening()
    said = user.hears(reply)            # what it says next, or that it is `Over`

One goal after the other. A question is answered with the facts it asks for, or
with what was said already, where that answers it; a
statement either meets the goal, or brings out a fact that is due, or is not
accepted: how often, and in which words, is drawn from the seed and the
conversation's id, so that the same user behaves the same again.

Source: Schatzmann et al. 2007, "Agenda-Based User Simulation" (goal and agenda);
the agenda here is the transcript's own order.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol

from dialog.metrics.judged import Ending
from dialog.replay.free.listening import answers, asked_for, asks, statements, unsaid, wants_a_yes
from dialog.replay.free.phrases import Occasion, said
from dialog.replay.free.scenario import Goal, Scenario
from dialog.values import Value

_PATIENCE = (1, 3)
"""A goal is insisted on at least and at most so often."""


class Over(Value):
    """The user says no more, and why."""

    how: Ending


class User(Protocol):
    """Somebody who talks with an agent."""

    @property
    def share_met(self) -> float:
        """How many of the goals are met, 0 to 1."""
        ...

    def opening(self) -> str: ...

    def hears(self, reply: str) -> str | Over:
        """What is said next, or that nothing is."""
        ...


class ScriptedUser:
    """One user in one conversation.

    Args:
        reached: where there is an environment, whether the wanted end state is there.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int,
        conversation_id: str,
        reached: Callable[[], bool] | None = None,
    ) -> None:
        self._scenario = scenario
        self._draw = random.Random(f"{conversation_id}\0{seed}")
        self._reached = reached
        self._at = 0
        self._untold = dict(enumerate(scenario.facts))
        self._patience = self._draw.randint(*_PATIENCE)
        self._unheard: Sequence[str] = scenario.must_hear

    @property
    def share_met(self) -> float:
        """How many of the goals are met, 0 to 1."""
        return self._at / len(self._scenario.goals)

    def opening(self) -> str:
        return self._goal.say

    def hears(self, reply: str) -> str | Over:
        self._unheard = unsaid(self._unheard, [reply])
        if self._is_met(reply):
            return self._next_goal()
        if asks(reply):
            return self._answered(reply)
        due = next((place for place, fact in self._untold.items() if fact.goal == self._at), None)
        if due is not None:
            return self._untold.pop(due).say
        return self._insists()

    @property
    def _goal(self) -> Goal:
        return self._scenario.goals[self._at]

    def _is_met(self, reply: str) -> bool:
        """In an environment a goal without an answer is met once nothing is asked and the state is right."""
        if self._goal.wants is not None:
            told = statements(reply)
            return bool(told) and answers(told, wants=self._goal.wants)
        if asks(reply):
            return False
        return self._reached is None or (self._reached() and not self._unheard)

    def _next_goal(self) -> str | Over:
        # what was not asked for until now did not matter to this goal
        self._untold = {place: fact for place, fact in self._untold.items() if fact.goal != self._at}
        self._at += 1
        if self._at == len(self._scenario.goals):
            return Over(how="satisfied")
        self._patience = self._draw.randint(*_PATIENCE)
        return self._goal.say

    def _answered(self, reply: str) -> str | Over:
        places = list(self._untold)
        found = asked_for(reply, [(self._untold[at].say, self._untold[at].about) for at in places])
        if found:
            return " ".join(self._untold.pop(places[at]).say for at in found)
        if wants_a_yes(reply):
            return self._said("agree")
        told = [(one.say, one.about) for at, one in enumerate(self._scenario.facts) if at not in self._untold]
        told.append((self._goal.say, ""))
        again = asked_for(reply, told)
        if again:
            return self._impatient() or self._said("told", about=told[again[0]][0])
        return self._impatient() or self._said("unknown")

    def _insists(self) -> str | Over:
        return self._impatient() or self._said("insist", about=self._goal.say)

    def _impatient(self) -> Over | None:
        if self._patience == 0:
            return Over(how="gave_up")
        self._patience -= 1
        return None

    def _said(self, occasion: Occasion, *, about: str = "") -> str:
        return said(occasion, language=self._scenario.language, draw=self._draw, about=about)
