"""Transformers without its progress bars and chatter.

with quiet():
    model = AutoModelForCausalLM.from_pretrained(directory)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging as transformers_logging


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no chatter of transformers: progress is ours to report."""
    verbosity, had_bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    hub_level = logging.getLogger("huggingface_hub").level
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        logging.getLogger("huggingface_hub").setLevel(hub_level)
        if had_bars:
            transformers_logging.enable_progress_bar()
