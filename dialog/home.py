"""Where files live: XDG folders, or everything under `INSTRUCTREC_HOME`."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

NAME = "instructrec"
FILE_NAME = "instructrec.toml"
"""Of a configuration, in the working directory and in the user's own."""


def data_dir() -> Path:
    """Conversations and knowledge; not created here."""
    return _home("data") or Path(platformdirs.user_data_dir(NAME))


def cache_dir() -> Path:
    """Fetched and converted models; may be deleted at any time."""
    return _home("cache") or Path(platformdirs.user_cache_dir(NAME))


def config_dir() -> Path:
    """The user's own `instructrec.toml`."""
    return _home("config") or Path(platformdirs.user_config_dir(NAME))


def _home(part: str) -> Path | None:
    root = os.environ.get("INSTRUCTREC_HOME")
    return Path(root).expanduser() / part if root else None
