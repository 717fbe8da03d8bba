"""What the model says before and after: replies by the engine that serves chat, scores with their chance.

    rehearsal = Rehearsal(settings, asked, stop=lambda: False)
    heard = rehearsal.hear("lora", Path("out"))
    heard.scores["chrf"]["gain"], heard.scores["chrf"]["ci95"]

Replies are greedy, so that nothing but the tuning differs. Intervals and
p-values draw conversations, not turns (`dialog.replay.statistics`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.errors import DialogError, Interrupted
from dialog.knowledge.embed import open_embedder
from dialog.metrics.judged import Given, JudgedTurn, Wanted
from dialog.metrics.metric import Metric
from dialog.metrics.registry import metric_named
from dialog.replay.outcome import Data, Fingerprints, MetricOutcome
from dialog.replay.saved import Label, SavedTurn
from dialog.replay.scoring import Told, score
from dialog.settings import ModelSection, Settings
from dialog.text import detect_language
from dialog.values import Message, Sampling
from training.asked import Asked, AskedTurn

METRICS = ("bleu", "chrf", "rouge_l", "similarity")


@dataclass(frozen=True)
class Heard:
    """What was asked, said before and said after; scores by metric.

    Attributes:
        scores: each with `before`, `after`, `gain`, its `ci95` and `p_value`; None is n/a.
        notes: what could not be computed, and why.
    """

    asked: Asked
    before: tuple[str, ...]
    after: tuple[str, ...]
    scores: dict[str, dict[str, Any]]
    notes: tuple[str, ...]


class Rehearsal:
    """The turns to be asked, and the engine that is asked: the one that chat would open."""

    def __init__(self, settings: Settings, asked: Asked, *, stop: Callable[[], bool]) -> None:
        self._settings = settings
        self.asked = asked
        self._stop = stop

    def hear(self, method: str, folder: Path) -> Heard | None:
        """Ask the model as it was and as it was saved in `folder`; None where this engine does not serve it.

        Raises:
            Interrupted: it was to stop.
            ModelError: the engine cannot open the result.
        """
        base = self._settings.model.model_copy(update={"decoder": None})
        tuned = tuned_section(base, method, folder)
        if tuned is None:
            return None
        before, after = self._said(base), self._said(tuned)
        scores, notes = compared(self.asked.turns, before, after, embedder=self._settings.knowledge.embedder)
        return Heard(self.asked, tuple(before), tuple(after), scores, tuple(notes))

    def _said(self, section: ModelSection) -> list[str]:
        model = open_model(section)
        try:
            return replies(
                model,
                self.asked.turns,
                max_tokens=self._settings.training.eval_tokens,
                at_once=section.slots,
                stop=self._stop,
            )
        finally:
            model.scheduler.close()


def tuned_section(model: ModelSection, method: str, folder: Path) -> ModelSection | None:
    """How chat would be told to use what a method saved; None where this engine does not serve it."""
    match method:
        case "decoder":
            return model.model_copy(update={"decoder": str(folder)})
        case "lora+decoder":
            return model.model_copy(update={"adapter": str(folder), "decoder": str(folder)})
        case "full":
            return model.model_copy(update={"name": str(folder), "adapter": None, "decoder": None})
        case "prefix":
            return None
        case _:
            return model.model_copy(update={"adapter": str(folder), "decoder": None})


def replies(
    model: LocalModel, asked: Sequence[AskedTurn], *, max_tokens: int, at_once: int, stop: Callable[[], bool]
) -> list[str]:
    """One greedy reply a turn, in order.

    Args:
        at_once: how many the engine makes together, which changes none of them.
        stop: asked before each.

    Raises:
        Interrupted: `stop` said so.
    """
    sampling = Sampling(max_tokens=max_tokens)

    def reply(one: AskedTurn) -> str:
        if stop():
            raise Interrupted("stopped while replies were made; go on with --resume")
        return "".join(chunk.text for chunk in model.stream(one.prompt, sampling=sampling)).strip()

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        return list(pool.map(reply, asked))


def compared(
    asked: Sequence[AskedTurn], before: Sequence[str], after: Sequence[str], *, embedder: str
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """(scores, notes) of the replies against what the agent said, each by its language."""
    metrics, notes = _metrics(embedder)
    turns = [_judged(one, text, "a") for one, text in zip(asked, after, strict=True)]
    turns += [_judged(one, text, "b") for one, text in zip(asked, before, strict=True)]
    told = Told(seeds=(0,), fingerprints=Fingerprints(a={}, b={}), data=Data(files=()))
    outcome = score(turns, metrics=metrics, gates=(), told=told).outcome
    return {name: _told(one) for name, one in outcome.metrics.items()}, notes


def _metrics(embedder: str) -> tuple[list[Metric], list[str]]:
    found, notes = [], []
    for name in METRICS:
        try:
            similar = open_embedder(embedder) if name == "similarity" else None
            found.append(metric_named(name, embedder=similar))
        except DialogError as error:
            notes.append(f"{name} is left out: {error}")
    return found, notes


def _judged(one: AskedTurn, text: str, agent: Label) -> SavedTurn:
    turn = JudgedTurn(
        conversation_id=one.conversation_id,
        turn=one.turn,
        messages=(Message(role="user", content=one.user),),
        wanted=Wanted(text=one.wanted),
        given=Given(text=text),
        language=detect_language(one.user),
    )
    return SavedTurn.of(turn, agent=agent, seed=0)


def _told(outcome: MetricOutcome) -> dict[str, Any]:
    return {
        "before": outcome.b,
        "after": outcome.a,
        "gain": outcome.difference,
        "ci95": outcome.ci95,
        "p_value": outcome.p_value,
        "before_ci95": outcome.b_ci95,
        "after_ci95": outcome.a_ci95,
        "unit": outcome.unit,
        "signature": outcome.signature,
    }
