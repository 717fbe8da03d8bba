"""GGUF to safetensors, once: a GGUF takes tens of seconds to read, the converted folder a fraction of one.

    facts = convert_gguf(Path("model.gguf"), Path("model"), name="model.gguf")

What transformers' reader gets wrong is put right here. It ignores
`tokenizer.ggml.pre`, which names the rules that cut text before merging: for
`smollm` it forgets that digits stand alone, and tokenises `\\n\\n7` or two
spaces before a number unlike the model was trained (`pre_tokenizing`).
"""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from dialog.engine.catalogue import written_languages
from dialog.engine.pre_tokenizing import pre_tokenizer
from dialog.engine.quiet import quiet
from dialog.engine.shelf import Facts
from dialog.errors import ModelError

_FULL_PRECISION_PARAMETERS = 1_000_000_000


def convert_gguf(source: Path, directory: Path, *, name: str, license: str | None = None) -> Facts:
    """Write config, weights and tokenizer of a GGUF file as transformers saves them.

    Up to a billion parameters are kept in float32, exactly what the
    quantised values mean; larger models in bfloat16, at half the disk.

    Raises:
        ModelError: not a GGUF file, or of an architecture transformers cannot read.
    """
    fields = _metadata(source)
    # The GGUF reader draws its bar with plain tqdm, which no switch of transformers reaches.
    with quiet(), redirect_stderr(io.StringIO()):
        try:
            tokenizer = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
            model = AutoModelForCausalLM.from_pretrained(
                str(source.parent), gguf_file=source.name, dtype=torch.float32
            )
        except (ValueError, KeyError, OSError, RuntimeError, NotImplementedError, ImportError) as error:
            architecture = fields.get("general.architecture", "unknown")
            raise ModelError(
                f"{source.name!r} (architecture {architecture!r}) cannot be converted: {error}; "
                "use the model's safetensors version"
            ) from error
        notes = _fix_pre_tokenizer(tokenizer, str(fields.get("tokenizer.ggml.pre", "")))
        if model.num_parameters() > _FULL_PRECISION_PARAMETERS:
            model = model.to(torch.bfloat16)
        _forget_gguf(model)
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
    declared = fields.get("general.languages", [])
    languages = written_languages(
        f"{name} {fields.get('general.name', '')}",
        model_type=str(model.config.model_type),
        declared=tuple(str(code) for code in declared) if isinstance(declared, list) else (),
    )
    said = license or fields.get("general.license")
    return Facts(name=name, license=str(said) if said else None, languages=languages, notes=tuple(notes))


def _metadata(source: Path) -> dict[str, Any]:
    wanted = ("general.architecture", "general.name", "general.license", "general.languages")
    try:
        reader = GGUFReader(source)
    except (ValueError, OSError, IndexError) as error:
        raise ModelError(f"{source.name!r} is not a readable GGUF file: {error}; fetch it again") from error
    fields = {key: reader.fields.get(key) for key in (*wanted, "tokenizer.ggml.pre")}
    return {key: field.contents() for key, field in fields.items() if field is not None}


def _fix_pre_tokenizer(tokenizer: PreTrainedTokenizerBase, kind: str) -> list[str]:
    """Set the pre-tokenizer the file names; returns a note if there was anything to change."""
    right = pre_tokenizer(kind)
    backend = tokenizer.backend_tokenizer
    if right is None or repr(backend.pre_tokenizer) == repr(right):
        return []
    backend.pre_tokenizer = right
    return [f"pre-tokenizer set to {kind!r} as the file demands"]


def _forget_gguf(model: PreTrainedModel) -> None:
    """`save_pretrained` refuses a model that was read from a GGUF until all trace of it is gone."""
    model.hf_quantizer = None
    model.is_quantized = False
    for owner, name in ((model, "quantization_method"), (model.config, "quantization_config")):
        if hasattr(owner, name):
            delattr(owner, name)
