"""A tuned model as one model of its own: the adapter merged, written for others, read again and compared.

    exported = export(files, adapter=Path("tuned"), out=Path("merged"), kind="safetensors")
    exported.difference           # greatest difference of a logit between what was written and what was meant

An instruction decoder is no part of any weights, and nothing else can run it:
`instructrec tune --method lora --set training.teacher=DIR` makes a LoRA of it that can be merged.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from dialog.engine.adapters import is_bottleneck
from dialog.engine.convert import convert_gguf
from dialog.engine.gguf_writing import write_gguf
from dialog.engine.quiet import quiet
from dialog.engine.sources import ModelFiles, resolve
from dialog.engine.stock import load_model, load_tokenizer, with_adapter
from dialog.errors import ModelError
from dialog.values import Value

Kind = Literal["safetensors", "gguf"]
Precision = Literal["fp32", "fp16", "bf16"]
_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_MOST_DIFFERENT = 1e-3
"""Of logits whose greatest is about 10: rounding of float32 in another order of sums."""
_TEXTS = ("Where is my parcel? I ordered it on 3 May.", "我的包裹在哪里？我是5月3日下的单。")


class Exported(Value):
    """What was written. Logits are of the same few texts, in float32.

    Attributes:
        difference: greatest between the model as written and as read again.
        rounding: greatest between that and the merged model before it was rounded.
    """

    path: Path
    size_bytes: int
    difference: float
    rounding: float


def export(
    files: ModelFiles, *, adapter: Path | None, out: Path, kind: Kind, precision: Precision = "fp32"
) -> Exported:
    """Write `out`, a new folder or a new file, whole or not at all.

    Raises:
        ModelError: it exists, the adapter does not fit or cannot be merged, the
            architecture cannot be written, or what is read again differs.
    """
    if out.exists():
        raise ModelError(f"{str(out)!r} exists; name a new {'folder' if kind == 'safetensors' else 'file'}")
    if adapter is not None and is_bottleneck(adapter):
        raise ModelError(f"{str(adapter)!r} is a bottleneck adapter, which no weights can hold; tune a LoRA")
    tokenizer = load_tokenizer(files)
    model = load_model(files, torch.device("cpu"), torch.float32)
    if adapter is not None:
        model = with_adapter(model, adapter)
    meant = _logits(model, tokenizer)
    _round(model, _DTYPES[precision])
    rounded = _logits(model, tokenizer)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".unfinished-") as scratch:
        made = Path(scratch) / out.name
        again = _written(model.to(_DTYPES[precision]), tokenizer, made, kind=kind)
        difference = _apart(again, rounded)
        if not difference <= _MOST_DIFFERENT:  # also where it is not a number
            raise ModelError(
                f"read again, the model differs by {difference:.3g} in a logit, so it was not kept; "
                "please report this with the name of the model"
            )
        os.replace(made, out)
    size = sum(one.stat().st_size for one in out.rglob("*")) if out.is_dir() else out.stat().st_size
    return Exported(path=out, size_bytes=size, difference=difference, rounding=_apart(rounded, meant))


def _written(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, made: Path, *, kind: Kind
) -> list[Tensor]:
    """Writes, and returns the logits of what is read again."""
    if kind == "safetensors":
        with quiet():
            model.save_pretrained(made)
            tokenizer.save_pretrained(made)
        folder = made
    else:
        write_gguf(model, tokenizer, made, name=made.stem)
        folder = made.with_name("again")
        convert_gguf(made, folder, name=made.name)
    files = resolve(str(folder))
    return _logits(load_model(files, torch.device("cpu"), torch.float32), load_tokenizer(files))


def _round(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Parameters alone: rounded rotation frequencies would be another model."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype).float()


@torch.no_grad()
def _logits(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[Tensor]:
    return [model(torch.tensor([tokenizer.encode(text)])).logits[0].float() for text in _TEXTS]


def _apart(some: list[Tensor], others: list[Tensor]) -> float:
    """Greatest difference; endless where the texts were cut into other tokens."""
    if any(one.shape != other.shape for one, other in zip(some, others, strict=True)):
        return float("inf")
    return max(float((one - other).abs().max()) for one, other in zip(some, others, strict=True))
