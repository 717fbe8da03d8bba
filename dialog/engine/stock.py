"""Models, tokenizers and adapters as transformers and peft load them; the only part that imports those.

tokenizer = load_tokenizer(files)
model = with_adapter(load_model(files, device, dtype), Path("adapter"))
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dialog.engine.adapters import adapter_files, is_bottleneck
from dialog.engine.quiet import quiet
from dialog.engine.sources import ModelFiles
from dialog.errors import ModelError


def load_tokenizer(files: ModelFiles) -> PreTrainedTokenizerBase:
    """Raises ModelError with the first line of whatever transformers says."""
    with quiet():
        try:
            return AutoTokenizer.from_pretrained(str(files.directory), local_files_only=True)
        except Exception as error:  # transformers raises nearly anything on a bad folder
            raise _failed(files, error) from error


def load_model(files: ModelFiles, device: torch.device, dtype: torch.dtype) -> PreTrainedModel:
    """Raises ModelError with the first line of whatever transformers says."""
    with quiet():
        try:
            model = AutoModelForCausalLM.from_pretrained(
                str(files.directory), dtype=dtype, local_files_only=True, use_safetensors=True
            )
        except Exception as error:  # transformers raises nearly anything on a bad folder
            raise _failed(files, error) from error
    return model.to(device)


def with_adapter(model: PreTrainedModel, directory: Path) -> PreTrainedModel:
    """The model with the adapter merged into its weights, or put into it where it cannot be merged.

    Raises:
        ModelError: no adapter, a pickled one, or one for another model.
    """
    adapter_files(directory)
    if is_bottleneck(directory):
        from dialog.engine.bottleneck import with_bottlenecks

        return with_bottlenecks(model, directory)
    from peft import PeftModel  # seconds to import: only for those who use one

    try:
        with warnings.catch_warnings():  # peft still asks transformers by names that are about to go
            warnings.simplefilter("ignore", FutureWarning)
            # AdaLoRA's ranks are applied when its tensors are read, not where this looks for them.
            warnings.filterwarnings("ignore", "The following rank_pattern keys", RuntimeWarning)
            return PeftModel.from_pretrained(model, str(directory)).merge_and_unload()
    except Exception as error:  # peft raises whatever a mismatch breaks first
        raise ModelError(f"the adapter {str(directory)!r} does not fit this model: {error}") from error


def _failed(files: ModelFiles, error: Exception) -> ModelError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelError(f"cannot load {files.name} from {str(files.directory)!r}: {reason}")
