"""From `[model]` of the configuration to a loaded model.

    model = open_model(config.values.model, progress=print)
    print(model.info.name, model.info.engine, model.info.languages)

The lean engine (`lean`) serves the families it knows, without importing
transformers once the model is prepared; everything else goes through
transformers, and `ModelInfo.engine` says why.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from dialog.engine.adapted import Adapters
from dialog.engine.adapters import is_bottleneck
from dialog.engine.decoded import TappedForward
from dialog.engine.decoded_together import decoded_forward
from dialog.engine.decoders import Decoders
from dialog.engine.lean.architecture import Architecture, read_architecture
from dialog.engine.lean.rope import Unsupported
from dialog.engine.lean.weights import SafetensorsFolder
from dialog.engine.local import DEFAULT_CACHE_BYTES, LocalModel
from dialog.engine.precision import Choice, choose_plain, choose_precision
from dialog.engine.prepare import prepare, tuned_fingerprint
from dialog.engine.scheduler import DEFAULT_QUEUE, DEFAULT_SLOTS
from dialog.engine.shelf import Notify
from dialog.engine.sources import ModelFiles, resolve
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.values import Language, ModelInfo

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_DEFAULT_CONTEXT_TOKENS = 2048
_DTYPES = {"fp32": "float32", "bf16": "bfloat16"}


def open_model(config: ModelSection, *, offline: bool = False, progress: Notify | None = None) -> LocalModel:
    """Resolve, fetch if need be, prepare if need be, load.

    Raises:
        ModelError: the model cannot be found, fetched, verified or loaded.
    """
    notify = progress or (lambda _: None)
    files = resolve(config.name, offline=offline, progress=progress)
    if config.threads:
        torch.set_num_threads(config.threads)
    device = choose_device(config.device)
    try:
        return _open_lean(config, files, device, notify)
    except Unsupported as refusal:
        notify(
            f"{config.name} is served by transformers, slower and one conversation at a time: "
            f"the lean engine does not know {refusal}"
        )
        return _open_plain(config, files, device, str(refusal))


def plan(config: ModelSection, files: ModelFiles, device: torch.device) -> tuple[Architecture, Choice]:
    """What the lean engine would do with the model; nothing is loaded.

    Raises:
        Unsupported: transformers would serve it.
        ModelError: the precision asked for is not possible.
    """
    if device.type not in ("cpu", "cuda"):
        raise Unsupported(f"the device {str(device)!r}")
    text = (files.directory / "config.json").read_text(encoding="utf-8")
    architecture = read_architecture(json.loads(text))
    checkpoint = SafetensorsFolder(files.directory)
    choice = choose_precision(config.precision, device, architecture=architecture, checkpoint=checkpoint)
    return architecture, choice


def explain(config: ModelSection, files: ModelFiles) -> str:
    """Which engine would serve the model, with which numbers, and why; nothing is loaded.

    Raises:
        ModelError: the device or precision asked for is not possible.
    """
    device = choose_device(config.device)
    try:
        _, choice = plan(config, files, device)
    except Unsupported as refusal:
        choice = choose_plain(config.precision, device)
        return f"transformers, {choice.precision}: the lean engine does not know {refusal}"
    return f"lean, {choice.precision}: {choice.reason}"


def _open_lean(config: ModelSection, files: ModelFiles, device: torch.device, notify: Notify) -> LocalModel:
    architecture, choice = plan(config, files, device)
    adapter = _adapter(config)
    if adapter is not None and is_bottleneck(adapter):
        raise Unsupported("bottleneck adapters, which cannot be merged into the weights")
    prepared = prepare(files, architecture, choice, device=device, adapter=adapter, notify=notify)
    tokenizer = HFChatTokenizer(prepared.tokenizer)
    info = ModelInfo(
        name=config.name,
        fingerprint=files.fingerprint,
        context_tokens=_context(config.context_tokens, architecture.context_tokens),
        template_fingerprint=tokenizer.fingerprint,
        languages=config.languages or files.languages,
        device=str(device),
        dtype=_DTYPES.get(choice.precision, choice.precision),
        num_parameters=architecture.num_parameters,
        adapters=_adapters(config),
        engine=f"lean, {choice.precision}: {choice.reason}",
    )
    model = tuned_fingerprint(files, adapter)
    adapters = Adapters(prepared.forward, _folders(config), model=model) if config.adapters else None
    decoders = _decoders(config, files, prepared.forward, info, is_linear=architecture.logits_softcap is None)
    return LocalModel(
        decoders.forward if decoders else prepared.forward,
        tokenizer,
        info=info,
        end_ids=prepared.tokenizer.end_ids,
        cache_bytes=config.cache_mb * 2**20,
        decoders=decoders,
        adapters=adapters,
        merged_adapter=config.adapter,
        slots=config.slots,
        queue=config.queue,
    )


def _open_plain(config: ModelSection, files: ModelFiles, device: torch.device, refusal: str) -> LocalModel:
    if config.adapters:
        raise ModelError(
            f"model.adapters needs the lean engine, which does not know {refusal}; "
            "set model.adapter to merge one into the weights"
        )
    from dialog.engine.plain import PlainForward
    from dialog.engine.stock import load_model, load_tokenizer, with_adapter

    choice = choose_plain(config.precision, device)
    tokenizer = load_tokenizer(files)
    model = load_model(files, device, choice.dtype)
    adapter = _adapter(config)
    if adapter is not None:
        model = with_adapter(model, adapter)
    plain = local_model(
        model,
        tokenizer,
        name=config.name,
        fingerprint=files.fingerprint,
        languages=config.languages or files.languages,
        context_tokens=config.context_tokens,
        adapters=_adapters(config),
        merged_adapter=config.adapter,
        cache_bytes=config.cache_mb * 2**20,
        slots=config.slots,
        queue=config.queue,
        engine=f"transformers, {choice.precision}, one conversation at a time: "
        f"the lean engine does not know {refusal}",
    )
    text_config = model.config.get_text_config(decoder=True)
    is_linear = getattr(text_config, "final_logit_softcapping", None) is None
    decoders = _decoders(config, files, PlainForward(model), plain.info, is_linear=is_linear)
    if decoders is None:
        return plain
    return LocalModel(
        decoders.forward,
        HFChatTokenizer(tokenizer),
        info=plain.info,
        end_ids=plain.end_ids,
        cache_bytes=config.cache_mb * 2**20,
        decoders=decoders,
        merged_adapter=config.adapter,
        slots=config.slots,
        queue=config.queue,
    )


def _adapter(config: ModelSection) -> Path | None:
    return Path(config.adapter).expanduser() if config.adapter else None


def _folders(config: ModelSection) -> dict[str, Path]:
    return {name: Path(folder) for name, folder in config.adapters.items()}


def _adapters(config: ModelSection) -> tuple[str, ...]:
    return tuple(folder for folder in (config.adapter, config.decoder) if folder)


def _decoders(
    config: ModelSection, files: ModelFiles, forward: TappedForward, info: ModelInfo, *, is_linear: bool
) -> Decoders | None:
    """The configured decoder as the default of all conversations; None if there is none.

    Raises:
        ModelError: it does not fit this model, or none can.
    """
    if config.decoder is None:
        return None
    if not is_linear:
        raise ModelError(f"{config.name} bends its logits: no instruction decoder stands on it; use LoRA")
    model = tuned_fingerprint(files, _adapter(config))
    decoders = Decoders(decoded_forward(forward), model=model, template=info.template_fingerprint)
    decoders.default = decoders.load(Path(config.decoder))
    return decoders


def local_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    name: str,
    fingerprint: str,
    languages: tuple[Language, ...] = ("zh", "en"),
    context_tokens: int | None = None,
    adapters: tuple[str, ...] = (),
    merged_adapter: str | None = None,
    cache_bytes: int = DEFAULT_CACHE_BYTES,
    slots: int = DEFAULT_SLOTS,
    queue: int = DEFAULT_QUEUE,
    engine: str = "transformers, one conversation at a time",
) -> LocalModel:
    """A loaded transformers model behind the engine, computed by transformers.

    Args:
        context_tokens: use less than the model's context; more is cut to it.
    """
    from dialog.engine.plain import PlainForward

    chat_tokenizer = HFChatTokenizer(tokenizer)
    text_config = model.config.get_text_config(decoder=True)
    info = ModelInfo(
        name=name,
        fingerprint=fingerprint,
        context_tokens=_context(context_tokens, getattr(text_config, "max_position_embeddings", 0)),
        template_fingerprint=chat_tokenizer.fingerprint,
        languages=languages,
        device=str(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        num_parameters=model.num_parameters(),
        adapters=adapters,
        engine=engine,
    )
    return LocalModel(
        PlainForward(model),
        chat_tokenizer,
        info=info,
        end_ids=_end_ids(model, tokenizer),
        cache_bytes=cache_bytes,
        merged_adapter=merged_adapter,
        slots=slots,
        queue=queue,
    )


def choose_device(wanted: str) -> torch.device:
    """`auto` takes CUDA, then Apple's GPU, then the CPU."""
    if wanted == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise ModelError(f"model.device = {wanted!r} is no device; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"model.device = {wanted!r}, but no CUDA GPU is usable here; use cpu or auto")
    return device


def _context(wanted: int | None, longest: int | None) -> int:
    longest = int(longest or 0) or _DEFAULT_CONTEXT_TOKENS
    return min(wanted or longest, longest)


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """What ends a reply: the generation config's tokens, and the tokenizer's own end token."""
    named: Any = model.generation_config.eos_token_id if model.generation_config else None
    ids = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id}
    return frozenset(int(token) for token in ids if token is not None)
