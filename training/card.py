"""The run card, `training.json`: what a result followed from, and what it came to."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from dialog.settings import TrainingSection
from training.data import TrainingData
from training.generated import Heard
from training.methods.opening import Base
from training.run import RunOptions

_LIBRARIES = ("instructrec", "torch", "transformers", "peft")


def plan(
    section: TrainingSection,
    options: RunOptions,
    base: Base,
    *,
    train: TrainingData,
    valid: TrainingData | None,
) -> dict[str, Any]:
    """All that a result follows from; a run that was stopped goes on only with the same."""
    data = {"train": train, "valid": valid}
    return {
        "method": section.method,
        "model": base.name,
        "model_fingerprint": base.fingerprint,
        "template_fingerprint": base.chat_tokenizer.fingerprint,
        "data": {name: described(one) for name, one in data.items() if one is not None},
        "options": section.model_dump(mode="json") | options.model_dump(mode="json"),
        "dtype": str(base.model.dtype).removeprefix("torch."),
        "device": str(base.model.device),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def described(data: TrainingData) -> dict[str, Any]:
    """Counts and hashes of what was trained or measured on."""
    return {
        "files": data.sha256,
        "conversations": data.num_conversations,
        "examples": len(data.examples),
        "tokens": data.num_tokens,
        "supervised": data.num_supervised,
        "refused": data.refused,
        "notes": data.notes,
    }


def heard_of(heard: Heard) -> dict[str, Any]:
    """Scores of the replies before and after, and what they rest on."""
    return {
        "turns": len(heard.asked.turns),
        "of_turns": heard.asked.of,
        "conversations": heard.asked.num_conversations,
        "too_long": heard.asked.num_too_long,
        "scores": heard.scores,
        "notes": list(heard.notes),
    }
