"""A user that a model plays: it is told the scenario and writes every message itself.

    user = ModelUser(scenario, model=model, sampling=sampling, limit_tokens=4096)

It ends the conversation by writing `[DONE]` or `[GIVE UP]`; whether its goals were
really met is checked by the rules of the scripted user, whatever it writes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from dialog.agent import DialogAgent
from dialog.config import load_config
from dialog.instructions import Instruction
from dialog.prompt.render import render
from dialog.protocols import LanguageModel
from dialog.replay.free.listening import answers
from dialog.replay.free.scenario import Scenario
from dialog.replay.free.user import Over
from dialog.values import Sampling, Turn

DONE, GIVE_UP = "[DONE]", "[GIVE UP]"
_PLAYED = {
    "en": (
        "You play a customer who writes to customer service. Never play the agent.\n"
        "What you want, one after the other:\n{goals}\nWhat you know, to be said only when asked:\n{facts}\n"
        "{persona}Write one short message at a time, nothing else. "
        f"Once you have all you want, write only {DONE}. If it is hopeless, write only {GIVE_UP}."
    ),
    "zh": (
        "你扮演一位联系客服的顾客，绝不要扮演客服。\n"
        "你依次想要：\n{goals}\n你知道的情况，被问到时才说：\n{facts}\n"
        f"{{persona}}每次只写一条简短的消息。想要的都得到后，只写 {DONE}。如果没有希望了，只写 {GIVE_UP}。"
    ),
}
_OPENS = {"en": "Hello, how can I help you?", "zh": "您好，请问有什么可以帮您？"}


class ModelUsers:
    """Makes such users, all with the model of one configuration; a context manager.

    The seed of a conversation is added to `sampling.seed`, so a user of temperature
    above 0 differs from seed to seed, and is the same again for the same one.

    Args:
        path: the configuration whose `[model]`, `[sampling]` and `prompt.limit_tokens` count.

    Raises:
        ConfigError, ModelError: the model cannot be opened.
    """

    def __init__(self, path: Path, *, progress: Callable[[str], None] | None = None) -> None:
        config = load_config(path)
        self._settings = config.values
        self._agent = DialogAgent(config, progress=progress)
        self._model = self._agent.model
        self.fingerprint = f"{self._model.info.fingerprint} {self._settings.fingerprint}"

    def __call__(
        self, scenario: Scenario, *, seed: int, conversation_id: str, reached: Callable[[], bool] | None
    ) -> ModelUser:
        sampling = self._settings.sampling
        return ModelUser(
            scenario,
            model=self._model,
            sampling=sampling.model_copy(update={"seed": (sampling.seed or 0) + seed}),
            limit_tokens=self._settings.prompt.limit_tokens or self._model.info.context_tokens,
            reached=reached,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._agent.close()


class ModelUser:
    """One user in one conversation.

    Args:
        reached: where there is an environment, whether the wanted end state is there.
        limit_tokens: prompt and message together.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        model: LanguageModel,
        sampling: Sampling,
        limit_tokens: int,
        reached: Callable[[], bool] | None = None,
    ) -> None:
        self._scenario = scenario
        self._model = model
        self._sampling = sampling
        self._limit_tokens = limit_tokens
        self._reached = reached
        self._turns: list[Turn] = []
        self._met: set[int] = set()

    @property
    def share_met(self) -> float:
        return len(self._met) / len(self._scenario.goals)

    def opening(self) -> str:
        # the first words are the scenario's, so that agents are compared on the same request
        return self._recorded(_OPENS.get(self._scenario.language, _OPENS["en"]), self._scenario.goals[0].say)

    def hears(self, reply: str) -> str | Over:
        for place, goal in enumerate(self._scenario.goals):
            if goal.wants is not None and answers(reply, wants=goal.wants):
                self._met.add(place)
        written = self._written(reply)
        if written.startswith(DONE):
            is_there = self._reached is None or self._reached()
            self._met |= {at for at, goal in enumerate(self._scenario.goals) if not goal.wants and is_there}
            return Over(how="satisfied")
        if written.startswith(GIVE_UP) or not written:
            return Over(how="gave_up")
        return self._recorded(reply, written)

    def _written(self, reply: str) -> str:
        """What the model writes to a reply; before the model, agent and customer change places."""
        rendered = render(
            self._model.tokenizer,
            instructions=[Instruction(id="user", text=self._told(), source="system")],
            turns=reversed(self._turns),
            passages=(),
            user=reply,
            user_id=f"reply-{len(self._turns)}",
            limit_tokens=self._limit_tokens,
            reserve_tokens=self._sampling.max_tokens,
            on_overflow="drop_oldest",
            language=self._scenario.language,
        )
        chunks = self._model.stream(rendered.prompt, sampling=self._sampling)
        return "".join(chunk.text for chunk in chunks).strip()

    def _told(self) -> str:
        scenario = self._scenario
        return _PLAYED.get(scenario.language, _PLAYED["en"]).format_map(
            {
                "goals": "\n".join(f"- {goal.say}" for goal in scenario.goals),
                "facts": "\n".join(f"- {fact.say}" for fact in scenario.facts) or "-",
                "persona": f"{scenario.persona}\n" if scenario.persona else "",
            }
        )

    def _recorded(self, heard: str, said: str) -> str:
        number = len(self._turns)
        self._turns.append(
            Turn(
                index=number, user_id=f"reply-{number}", user=heard, reply_id=f"message-{number}", reply=said
            )
        )
        return said
