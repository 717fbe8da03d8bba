"""A model's tokenizer and chat template without its weights: for what is counted or shown, not generated.

tokenizer = open_tokenizer(config.model)
"""

from __future__ import annotations

from transformers import AutoTokenizer

from dialog.engine.quiet import quiet
from dialog.engine.shelf import Notify
from dialog.engine.sources import resolve
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
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(str(files.directory), local_files_only=True)
    except Exception as error:  # transformers raises nearly anything on a bad folder
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"cannot load the tokenizer of {files.name}: {reason}") from error
    return HFChatTokenizer(tokenizer)
