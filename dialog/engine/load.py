"""From `[model]` of the configuration to a loaded model.

model = open_model(config.values.model, progress=print)
print(model.info.name, model.info.dtype, model.info.languages)
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dialog.engine.forward import Forward
from dialog.engine.local import LocalModel
from dialog.engine.quiet import quiet
from dialog.engine.shelf import Notify
from dialog.engine.sources import ModelFiles, resolve
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ModelError
from dialog.settings import ModelSection
from dialog.values import Language, ModelInfo

_DEFAULT_CONTEXT_TOKENS = 2048


def open_model(config: ModelSection, *, offline: bool = False, progress: Notify | None = None) -> LocalModel:
    """Resolve, fetch if need be, load.

    Raises:
        ModelError: the model cannot be found, fetched, verified or loaded.
    """
    files = resolve(config.name, offline=offline, progress=progress)
    if config.threads:
        torch.set_num_threads(config.threads)
    device = choose_device(config.device)
    dtype = choose_dtype(config.precision, device)
    model, tokenizer = _load(files, device=device, dtype=dtype)
    if config.adapter is not None:
        model = _with_adapter(model, Path(config.adapter).expanduser())
    return local_model(
        model,
        tokenizer,
        name=config.name,
        fingerprint=files.fingerprint,
        languages=config.languages or files.languages,
        context_tokens=config.context_tokens,
        adapters=(config.adapter,) if config.adapter else (),
        cache_bytes=config.cache_mb * 2**20,
    )


def local_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    name: str,
    fingerprint: str,
    languages: tuple[Language, ...] = ("zh", "en"),
    context_tokens: int | None = None,
    adapters: tuple[str, ...] = (),
    cache_bytes: int = 512 * 2**20,
) -> LocalModel:
    """A loaded transformers model behind the engine.

    Args:
        context_tokens: use less than the model's context; more is cut to it.
    """
    chat_tokenizer = HFChatTokenizer(tokenizer)
    text_config = model.config.get_text_config(decoder=True)
    longest = int(getattr(text_config, "max_position_embeddings", 0)) or _DEFAULT_CONTEXT_TOKENS
    info = ModelInfo(
        name=name,
        fingerprint=fingerprint,
        context_tokens=min(context_tokens or longest, longest),
        template_fingerprint=chat_tokenizer.fingerprint,
        languages=languages,
        device=str(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        num_parameters=model.num_parameters(),
        adapters=adapters,
    )
    return LocalModel(
        Forward(model), chat_tokenizer, info=info, end_ids=_end_ids(model, tokenizer), cache_bytes=cache_bytes
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


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """`auto` takes bfloat16 where the hardware multiplies it, else float32.

    Decoding reads every weight for every token, so half the bytes is about
    twice the speed, but only with native instructions: emulated bfloat16 on
    a CPU without avx512_bf16 or AMX is slower than float32 (`docs/models.md`).
    """
    if precision != "auto":
        return torch.bfloat16 if precision == "bf16" else torch.float32
    match device.type:
        case "cpu":
            is_native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        case "cuda":
            is_native = torch.cuda.is_bf16_supported(including_emulation=False)
        case _:
            is_native = False
    return torch.bfloat16 if is_native else torch.float32


def _load(
    files: ModelFiles, *, device: torch.device, dtype: torch.dtype
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    directory = str(files.directory)
    with quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(
                directory, dtype=dtype, local_files_only=True, use_safetensors=True
            )
        except Exception as error:  # transformers raises nearly anything on a bad folder
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ModelError(f"cannot load {files.name} from {directory!r}: {reason}") from error
    return model.to(device), tokenizer


def _with_adapter(model: PreTrainedModel, directory: Path) -> PreTrainedModel:
    if not (directory / "adapter_config.json").is_file():
        raise ModelError(f"{str(directory)!r} is no adapter: it has no adapter_config.json")
    if not (directory / "adapter_model.safetensors").is_file():
        raise ModelError(f"{str(directory)!r} has no adapter_model.safetensors; pickled adapters are refused")
    from peft import PeftModel  # seconds to import: only for those who use one

    try:
        with warnings.catch_warnings():  # peft still asks transformers by names that are about to go
            warnings.simplefilter("ignore", FutureWarning)
            return PeftModel.from_pretrained(model, str(directory)).merge_and_unload()
    except Exception as error:  # peft raises whatever a mismatch breaks first
        raise ModelError(f"the adapter {str(directory)!r} does not fit this model: {error}") from error


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """What ends a reply: the generation config's tokens, and the tokenizer's own end token."""
    named = model.generation_config.eos_token_id if model.generation_config else None
    ids = set(named if isinstance(named, list) else [named]) | {tokenizer.eos_token_id}
    return frozenset(int(token) for token in ids if token is not None)
