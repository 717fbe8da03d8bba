"""Files that are whole or not there, whoever writes them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def moved_into(folder: Path) -> Iterator[Path]:
    """A scratch folder whose files are moved into `folder` once all are written."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as scratch:
        unfinished = Path(scratch)
        yield unfinished
        for path in sorted(unfinished.iterdir()):
            os.replace(path, folder / path.name)
