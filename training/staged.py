"""`--method lora+decoder` in stages: a LoRA first, then a decoder on the model that came of it.

    OUT/lora/, OUT/decoder/         each a run of its own, complete
    OUT/adapter_*, OUT/decoder_*    both, to be served as model.adapter and model.decoder
    OUT/training.json, report.html  from the model as it was to the end

    card = Staged(settings, files, base, train=train, valid=valid, watch=watch, ...).into(out, resume=False)

The second stage stands on the saved and merged adapter, exactly what is
served, so its features can be kept and its epochs are cheap. A run that was
stopped goes on in the stage it was in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialog.engine.sources import ModelFiles
from dialog.errors import ConfigError
from dialog.settings import Settings, TrainingSection
from training.card import heard_of, plan
from training.data import TrainingData
from training.generated import Rehearsal
from training.methods.opening import Base, decoder_pace, open_base, run_options
from training.page import page
from training.ranks import ALONE, Ranks
from training.run_folder import RunFolder
from training.tune import Tuning, Watch, hear

STAGES = ("lora", "decoder")
_SERVED = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "decoder.safetensors",
    "decoder_config.json",
)


class Staged:
    """See the module; arguments are those of `Tuning`, and `files` of the model.

    Raises:
        ConfigError: a setting means nothing in stages.
    """

    def __init__(
        self,
        settings: Settings,
        files: ModelFiles,
        base: Base,
        *,
        train: TrainingData,
        valid: TrainingData | None,
        watch: Watch,
        features: Path | None,
        rehearsal: Rehearsal | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        self._settings = settings
        self._files = files
        self._train, self._valid = train, valid
        self._watch = watch
        self._features = features
        self._rehearsal = rehearsal
        self._ranks = ranks
        section = settings.training
        if section.teacher is not None:
            raise ConfigError("training.teacher is for --method lora, not for lora+decoder")
        self._plan = plan(section, run_options(section), base, train=train, valid=valid)
        self._first = self._tuning(lora_section(section), base)

    def about(self) -> list[str]:
        """What the first stage takes; the second is told when it begins."""
        return [*self._first.about(), "then a decoder on what comes of it"]

    def into(self, out: Path, *, resume: bool) -> dict[str, Any]:
        """Both stages; returns the run card. Raises what `Tuning.into` does."""
        folder = RunFolder(out)
        if self._ranks.is_first:
            folder.begin(self._plan, resume=resume)
        self._ranks.wait()
        cards = [self._stage(self._first, out / "lora")]
        adapter = str(out / "lora")
        section = decoder_section(self._settings.training)
        model = self._settings.model.model_copy(update={"adapter": adapter})
        second = self._tuning(section, open_base(model, self._files, section), adapter=adapter)
        for line in second.about():
            self._watch.remark(line)
        cards.append(self._stage(second, out / "decoder"))
        card = self._plan | _joined(cards) | {"adapter": None, "processes": self._ranks.count}
        return self._finished(folder, card) if self._ranks.is_first else card

    def _tuning(self, section: TrainingSection, base: Base, *, adapter: str | None = None) -> Tuning:
        model = self._settings.model.model_copy(update={"adapter": adapter})
        return Tuning(
            self._settings.model_copy(update={"training": section, "model": model}),
            base,
            train=self._train,
            valid=self._valid,
            watch=self._watch,
            features=self._features if section.method == "decoder" else None,
            ranks=self._ranks,
        )

    def _stage(self, tuning: Tuning, out: Path) -> dict[str, Any]:
        folder = RunFolder(out)
        card = folder.card() or tuning.into(out, resume=folder.is_begun)
        self._ranks.wait()
        return card

    def _finished(self, folder: RunFolder, card: dict[str, Any]) -> dict[str, Any]:
        for name in _SERVED:
            stage = STAGES[name.startswith("decoder")]
            unfinished = folder.path / f".{name}.unfinished"
            shutil.copyfile(folder.path / stage / name, unfinished)
            os.replace(unfinished, folder.path / name)
        heard = hear(self._rehearsal, "lora+decoder", folder, watch=self._watch)
        card = card | {"replies": heard_of(heard) if heard else None}
        before = RunFolder(folder.path / "lora").evaluation("before") or []
        after = RunFolder(folder.path / "decoder").evaluation("after") or []
        folder.save_evaluation("before", before)
        folder.save_evaluation("after", after)
        folder.finish(card, page=page(card, before=before, after=after, heard=heard))
        return card


def lora_section(section: TrainingSection) -> TrainingSection:
    """`[training]` of the first stage."""
    return section.model_copy(update={"method": "lora"})


def decoder_section(section: TrainingSection) -> TrainingSection:
    """`[training]` of the second stage: what is said of the decoder; the rest as for the LoRA or as suits."""
    return section.model_copy(
        update={
            **decoder_pace(section).model_dump(),
            "method": "decoder",
            "epochs": section.decoder_epochs,
            "rank": section.decoder_rank,
            "neftune": 0.0,
            "adversarial": 0.0,
            "denoise": 0.0,
        }
    )


def _joined(cards: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One card of two: from the first one's beginning to the second one's end."""
    first, second = cards
    steps, epochs = first["steps"], first["reports"][-1]["epoch"]
    later = [one | {"step": one["step"] + steps, "epoch": one["epoch"] + epochs} for one in second["reports"]]
    return {
        "steps": steps + second["steps"],
        "seconds": round(first["seconds"] + second["seconds"], 1),
        "parameters": first["parameters"] + second["parameters"],
        "before": first["before"],
        "after": second["after"],
        "reports": [*first["reports"], *later],
        "stages": dict(zip(STAGES, cards, strict=True)),
    }
