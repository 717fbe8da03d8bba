"""From `[training]` to a method: what each is given, and what suits it where nothing is said.

options = run_options(section)
base = open_base(model_section, files, section)
method = open_method(section, base, num_steps=..., features=Path("cache") or None)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dialog.decoder.config import default_config
from dialog.decoder.files import load_decoder
from dialog.decoder.module import InstructionDecoder
from dialog.engine.load import choose_device
from dialog.engine.precision import has_bf16
from dialog.engine.prepare import tuned_fingerprint
from dialog.engine.sources import ModelFiles
from dialog.engine.stock import load_model, load_tokenizer, with_adapter
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ConfigError, ModelError
from dialog.settings import ModelSection, TrainingSection
from dialog.values import Value
from training.features import FeatureCache
from training.methods.adapter import AdapterMethod
from training.methods.backbone import Backbone
from training.methods.decoder import DecoderMethod
from training.methods.distil import DistilMethod
from training.methods.disturbance import Disturbance
from training.methods.full import FullMethod
from training.methods.method import Method
from training.methods.peft_methods import AdaLoraMethod, LoraMethod, PrefixMethod
from training.methods.preference import FEEDBACK_RATE, PreferenceMethod, check_feedback
from training.methods.together import NoFeatures, TogetherMethod
from training.optim import Pace
from training.run import RunOptions


class Suited(Value):
    """What suits a method where the configuration says nothing."""

    epochs: int
    lr: float
    rank: int
    batch_tokens: int


SUITED = {
    "decoder": Suited(epochs=8, lr=1e-3, rank=0, batch_tokens=1024),
    "lora": Suited(epochs=3, lr=5e-4, rank=16, batch_tokens=2048),
    "lora+decoder": Suited(epochs=3, lr=5e-4, rank=16, batch_tokens=2048),
    "adalora": Suited(epochs=3, lr=2e-3, rank=12, batch_tokens=2048),
    "prefix": Suited(epochs=3, lr=1e-2, rank=16, batch_tokens=2048),
    "adapter": Suited(epochs=3, lr=1e-3, rank=64, batch_tokens=2048),
    "full": Suited(epochs=2, lr=2e-5, rank=0, batch_tokens=2048),
}
"""Found on dialogues of a model of 135 million parameters; a decoder's rank follows the model's width."""


@dataclass(frozen=True)
class Base:
    """The model that is tuned, before anything is put into it.

    Attributes:
        fingerprint: of its weights, with the adapter that was merged into them.
    """

    name: str
    fingerprint: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    chat_tokenizer: HFChatTokenizer


def run_options(section: TrainingSection) -> RunOptions:
    """How the loop is to run."""
    suited = SUITED[section.method]
    return RunOptions(
        epochs=section.epochs or suited.epochs,
        lr=section.lr or suited.lr * (1.0 if section.objective == "likelihood" else FEEDBACK_RATE),
        optimiser=section.optimiser,
        weight_decay=section.weight_decay,
        clip=section.clip,
        decay=section.decay,
        warmup=section.warmup,
        batch_tokens=section.batch_tokens or suited.batch_tokens,
        accumulate=section.accumulate,
        evaluate_every=section.evaluate_every,
        seed=section.seed,
        paces={"decoder": decoder_pace(section)} if section.method == "lora+decoder" else {},
    )


def decoder_pace(section: TrainingSection) -> Pace:
    """How the decoder of `lora+decoder` is trained; what is not said is as for the LoRA, but for its rate."""
    return Pace(
        lr=section.decoder_lr or SUITED["decoder"].lr,
        optimiser=section.decoder_optimiser or section.optimiser,
        weight_decay=_first(section.decoder_weight_decay, section.weight_decay),
        clip=section.decoder_clip or section.clip,
        decay=section.decoder_decay or section.decay,
        warmup=_first(section.decoder_warmup, section.warmup),
    )


def _first(wanted: float | None, otherwise: float) -> float:
    return otherwise if wanted is None else wanted


def open_base(config: ModelSection, files: ModelFiles, section: TrainingSection) -> Base:
    """Load the model to be tuned, `model.adapter` merged into it if there is one.

    All of a model is trained in float32, and so is PiSSA, which divides its weights.

    Raises:
        ModelError: it cannot be loaded, or the adapter does not fit.
        ConfigError: what would be saved could not be served beside that adapter, or the method
            does not learn from feedback.
    """
    check_feedback(section)
    if config.adapter and section.method not in ("decoder", "full"):
        raise ConfigError(
            f"--method {section.method} makes an adapter, and one is served at a time: leave out "
            f"model.adapter = {config.adapter!r}, or use --method decoder, which stands on it"
        )
    device = choose_device(config.device)
    adapter = Path(config.adapter).expanduser() if config.adapter else None
    tokenizer = load_tokenizer(files)
    is_exact = section.method == "full" or ("lora" in section.method and section.lora == "pissa")
    wants_bf16 = computes_bf16(section, device) and not is_exact
    model = load_model(files, device, torch.bfloat16 if wants_bf16 else torch.float32)
    if adapter is not None:
        model = with_adapter(model, adapter)
    return Base(
        name=config.name,
        fingerprint=tuned_fingerprint(files, adapter),
        model=model,
        tokenizer=tokenizer,
        chat_tokenizer=HFChatTokenizer(tokenizer),
    )


def computes_bf16(section: TrainingSection, device: torch.device) -> bool:
    """As is said; "auto" where the device has it, or where `accelerate launch` was asked for it."""
    if section.precision == "auto":
        return has_bf16(device) or os.environ.get("ACCELERATE_MIXED_PRECISION") == "bf16"
    return section.precision == "bf16"


def open_method(section: TrainingSection, base: Base, *, num_steps: int, features: Path | None) -> Method:
    """The method, with parameters that follow from the seed; the model's own are frozen but for "full".

    Args:
        num_steps: of the whole run.
        features: where a decoder keeps what the model thinks of the examples; None: nowhere.

    Raises:
        ModelError: the method cannot be had with this model.
        ConfigError: a setting means nothing with this method.
    """
    torch.manual_seed(section.seed)
    disturbance = Disturbance(
        neftune=section.neftune, adversarial=section.adversarial, denoise=section.denoise
    )
    if section.teacher is not None and disturbance != Disturbance():
        raise ConfigError("training.teacher goes with none of neftune, adversarial, denoise; leave them out")
    method = _opened(section, base, num_steps=num_steps, features=features)
    if isinstance(method, Backbone):
        method.disturbance = disturbance
    elif disturbance != Disturbance():
        raise ConfigError(
            "training.neftune, adversarial and denoise are for methods that train within the model alone, "
            f"not for {section.method}; leave them out, or use --method lora"
        )
    return method


def _opened(section: TrainingSection, base: Base, *, num_steps: int, features: Path | None) -> Method:
    model = base.model
    if section.teacher is not None:
        return _distilled(section, base, features)
    rank = section.rank or SUITED[section.method].rank
    alpha = section.alpha or float(rank)
    match section.method:
        case "decoder":
            return _decoder(section, base, features)
        case "lora":
            return _lora(section, base)
        case "lora+decoder":
            return _together(section, base)
        case "adalora":
            return AdaLoraMethod(
                model,
                rank=rank,
                alpha=alpha,
                dropout=section.dropout,
                num_steps=num_steps,
                base_name=base.name,
            )
        case "prefix":
            return PrefixMethod(model, rank=rank, base_name=base.name)
        case "adapter":
            return AdapterMethod(model, rank=rank, dropout=section.dropout, base_name=base.name)
        case "full":
            return FullMethod(model, base.tokenizer, autocast=computes_bf16(section, model.device))


def _lora(section: TrainingSection, base: Base) -> LoraMethod:
    options = _lora_options(section, base)
    if section.objective == "likelihood":
        return LoraMethod(base.model, **options)
    return PreferenceMethod(base.model, objective=section.objective, beta=section.beta, **options)


def _lora_options(section: TrainingSection, base: Base) -> dict[str, Any]:
    rank = section.rank or SUITED["lora"].rank
    return {
        "rank": rank,
        "alpha": section.alpha or float(rank),
        "dropout": section.dropout,
        "variant": section.lora,
        "base_name": base.name,
    }


def _distilled(section: TrainingSection, base: Base, features: Path | None) -> DistilMethod:
    if section.method != "lora" or section.teacher is None:
        raise ConfigError(f"training.teacher is for --method lora, not for {section.method}")
    folder = Path(section.teacher).expanduser()
    decoder = load_decoder(
        folder, model=base.fingerprint, template=base.chat_tokenizer.fingerprint, device=base.model.device
    )
    teacher = DecoderMethod(
        decoder,
        _features(base, decoder.config.taps, features),
        head_VD=base.model.get_output_embeddings().weight,
    )
    return DistilMethod(base.model, teacher, **_lora_options(section, base))


def _together(section: TrainingSection, base: Base) -> TogetherMethod:
    if section.combine == "staged":
        raise ValueError("what is trained in stages is opened stage by stage (training.staged)")
    decoder = _new_decoder(section, base, rank=section.decoder_rank)
    lora = _lora(section, base)
    return TogetherMethod(
        lora,
        DecoderMethod(
            decoder,
            NoFeatures(),
            head_VD=base.model.get_output_embeddings().weight,
            evidence=section.evidence,
            anchor=section.anchor,
        ),
        turns=section.combine,
        detach_taps=section.detach_taps,
        fingerprint=base.fingerprint,
    )


def _decoder(section: TrainingSection, base: Base, features: Path | None) -> DecoderMethod:
    decoder = _new_decoder(section, base, rank=section.rank)
    return DecoderMethod(
        decoder,
        _features(base, decoder.config.taps, features),
        head_VD=base.model.get_output_embeddings().weight,
        evidence=section.evidence,
        anchor=section.anchor,
    )


def _features(base: Base, taps: tuple[int, ...], folder: Path | None) -> FeatureCache:
    return FeatureCache(
        folder,
        model=base.model.requires_grad_(False),
        fingerprint=base.fingerprint,
        template=base.chat_tokenizer.fingerprint,
        taps=taps,
    )


def _new_decoder(section: TrainingSection, base: Base, *, rank: int | None) -> InstructionDecoder:
    text_config = base.model.config.get_text_config(decoder=True)
    if getattr(text_config, "final_logit_softcapping", None) is not None:
        raise ModelError(f"{base.name} bends its logits, so they are no sum to explain; use --method lora")
    config = default_config(
        hidden_size=int(text_config.hidden_size),
        num_layers=int(text_config.num_hidden_layers),
        model=base.fingerprint,
        template=base.chat_tokenizer.fingerprint,
    ).model_copy(update={"dropout": section.dropout})
    if rank is not None:
        config = type(config).model_validate({**config.model_dump(), "rank": rank})
    return InstructionDecoder(config).to(base.model.device)
