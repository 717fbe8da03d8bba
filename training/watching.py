"""Looking on while a model is tuned: a line that is redrawn, with the curve of the loss, and a line a report.

tune  step 120/400  loss 2.314  █▇▆▅▅▄▄▃  1.9 steps/s  2 min left
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from dialog.cli.verb import Run
from training.figures import interval, shown
from training.run import Report

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 30
_REDRAW_S = 0.2


class Watching:
    """What the terminal sees of a run; also where Ctrl-C is noted.

    Args:
        shown: draw the moving line; reports come without it, too.
    """

    def __init__(self, run: Run, *, shown: bool) -> None:
        self._run = run
        self._shown = shown
        self._losses: list[float] = []
        self._drawn_at = 0.0
        self._started: tuple[float, int] | None = None
        self._is_stopped = False

    def fresh(self) -> None:
        """Another run begins: its own curve and speed."""
        self._losses, self._started = [], None

    def stop(self) -> None:
        self._is_stopped = True

    def wants_to_stop(self) -> bool:
        return self._is_stopped

    def step(self, step: int, num_steps: int, loss: float) -> None:
        now = time.monotonic()
        if self._started is None:
            self._started = (now, step)
        self._losses.append(loss)
        if not self._shown or (now - self._drawn_at < _REDRAW_S and step != num_steps):
            return
        self._drawn_at = now
        sys.stderr.write(f"\r\x1b[K{self._line(step, num_steps, now)}")
        sys.stderr.flush()

    def report(self, report: Report) -> None:
        self._clear()
        besides = "".join(f", {name} {value:.3f}" for name, value in report.besides.items())
        held_out = "" if report.valid_loss is None else f"; held out {report.valid_loss:.4f}"
        self._run.remark(
            f"epoch {report.epoch:.1f}, step {report.step}: loss {report.train_loss:.4f}{besides}{held_out}"
        )

    def remark(self, text: str) -> None:
        self._clear()
        self._run.warn(text)

    def _clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _line(self, step: int, num_steps: int, now: float) -> str:
        assert self._started is not None
        begun, first = self._started
        rate = (step - first) / (now - begun) if step > first and now > begun else 0.0
        left = f"  {rate:.2g} steps/s  {_duration((num_steps - step) / rate)} left" if rate else ""
        return f"tune  step {step}/{num_steps}  loss {self._losses[-1]:.3f}  {curve(self._losses)}{left}"


def curve(losses: Sequence[float], *, width: int = _WIDTH) -> str:
    """The losses as blocks, each a mean over its stretch; the largest is full, the smallest nearly empty."""
    width = min(width, len(losses))
    edges = [round(number * len(losses) / width) for number in range(width + 1)] if width else []
    means = [sum(losses[start:end]) / (end - start) for start, end in pairwise(edges)]
    if not means:
        return ""
    least, most = min(means), max(means)
    scale = (len(_BLOCKS) - 1) / (most - least) if most > least else 0.0
    return "".join(_BLOCKS[round((mean - least) * scale)] for mean in means)


def result(card: dict[str, Any], out: Path) -> str:
    """What a run came to, in a few lines."""
    before, after = card["before"], card["after"]
    lines = [
        f"{card['method']}: {card['parameters']:,} numbers trained in {card['steps']} steps, "
        f"{_duration(card['seconds'])}"
    ]
    if after["cross_entropy"] is not None:
        lines += [
            f"held out ({after['conversations']} conversations, {after['tokens']:.0f} tokens): cross-entropy "
            f"{before['cross_entropy']:.4f} -> {after['cross_entropy']:.4f} per token, "
            f"perplexity {before['perplexity']:.2f} -> {after['perplexity']:.2f}"
        ]
    elif after["loss"] is not None:
        lines += [f"held out: loss {before['loss']:.4f} -> {after['loss']:.4f} of a pair or rated reply"]
    if (ranked := card.get("ranked")) is not None:
        lines += [
            f"the wanted reply is likelier in {ranked['before']:.0%} -> {ranked['after']:.0%} of "
            f"{ranked['couples']} couples ({shown(ranked['gain'], sign=True)}; "
            f"95 % {interval(ranked['ci95'])})"
        ]
    if card["replies"] is not None:
        lines += list(_said(card["replies"]))
    return "\n".join([*lines, f"saved in {out}; {_how_to_use(card['method'], out)}"])


def _said(replies: dict[str, Any]) -> Iterator[str]:
    yield (
        f"replies to {replies['turns']} held-out turns ({replies['conversations']} conversations), "
        "against what the agent said:"
    )
    for name, score in replies["scores"].items():
        yield (
            f"  {name} {shown(score['before'])} -> {shown(score['after'])} "
            f"({shown(score['gain'], sign=True)}; 95 % {interval(score['ci95'])})"
        )


def _how_to_use(method: str, out: Path) -> str:
    match method:
        case "decoder":
            return f"chat with it: instructrec chat --set model.decoder={out}"
        case "lora+decoder":
            return f"chat with it: instructrec chat --set model.adapter={out} --set model.decoder={out}"
        case "full":
            return f"chat with it: instructrec chat --set model.name={out}"
        case "prefix":
            return "PEFT serves it; this engine does not yet"
        case _:
            return f"chat with it: instructrec chat --set model.adapter={out}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
