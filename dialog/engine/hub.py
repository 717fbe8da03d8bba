"""`hf:ORG/NAME[@REV]`: safetensors models from the Hugging Face hub, through its own client and cache.

Only weights in safetensors, JSON and tokenizer files are ever asked for: no
pickles, no Python. A copy that is complete in the cache is used without
asking the network; `pull` looks for a newer one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import scan_cache_dir, snapshot_download
from huggingface_hub.errors import (
    CacheNotFound,
    GatedRepoError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from dialog.engine.shelf import Notify
from dialog.errors import ModelError

WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "LICENSE*")
TOKENIZER = tuple(pattern for pattern in WANTED if pattern != "*.safetensors")
UNWANTED = ("*.bin", "*.pt", "*.pth", "*.py", "onnx/*", "original/*")


def fetch(
    repository: str, revision: str | None, *, offline: bool, notify: Notify, refresh: bool = False
) -> Path:
    """The folder of the model's files.

    Raises:
        ModelError: absent and offline, unknown, gated, or not reachable.
    """
    if not refresh or offline:
        cached = _cached(repository, revision)
        if cached is not None:
            return cached
    shown = f"hf:{repository}" + (f"@{revision}" if revision else "")
    if offline:
        raise ModelError(
            f"{shown} is not in the cache and offline was asked for; pull it once while connected"
        )
    notify(f"fetching {shown} from the hub")
    return _download(repository, revision, shown=shown, wanted=WANTED)


def fetch_tokenizer(repository: str, revision: str | None, *, notify: Notify) -> Path:
    """A folder with the tokenizer of a model, without its weights.

    Raises:
        ModelError: unknown, gated, or not reachable.
    """
    cached = _cached(repository, revision)
    if cached is not None:
        return cached
    shown = f"hf:{repository}" + (f"@{revision}" if revision else "")
    notify(f"fetching the tokenizer of {shown} from the hub")
    return _download(repository, revision, shown=shown, wanted=TOKENIZER)


def _download(repository: str, revision: str | None, *, shown: str, wanted: Sequence[str]) -> Path:
    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                allow_patterns=list(wanted),
                ignore_patterns=list(UNWANTED),
            )
        )
    except GatedRepoError as error:
        raise ModelError(
            f"{shown} is gated: accept its licence on the hub and log in with `hf auth login`"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, ValueError) as error:
        raise ModelError(f"the hub knows no {shown}; check its spelling") from error
    except Exception as error:  # the client raises whatever its transport raises
        raise ModelError(
            f"cannot fetch {shown} ({_first_line(error)}); connect once, or name a model folder instead"
        ) from error


def cached_models() -> list[tuple[str, Path]]:
    """`hf:` names and folders of complete models in the hub's cache."""
    try:
        repositories = scan_cache_dir().repos
    except (CacheNotFound, OSError):
        return []
    found: list[tuple[str, Path]] = []
    for repository in repositories:
        for revision in repository.revisions:
            if repository.repo_type == "model" and is_complete(Path(revision.snapshot_path)):
                suffix = "" if "main" in revision.refs else f"@{revision.commit_hash}"
                found.append((f"hf:{repository.repo_id}{suffix}", Path(revision.snapshot_path)))
    return sorted(found)


def is_complete(directory: Path) -> bool:
    """True if config, tokenizer and every weight file the index names are there."""
    has_tokenizer = any((directory / name).is_file() for name in ("tokenizer.json", "tokenizer.model"))
    if not has_tokenizer or not (directory / "config.json").is_file():
        return False
    index = directory / "model.safetensors.index.json"
    if not index.is_file():
        return any(directory.glob("*.safetensors"))
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, OSError):
        return False
    return all((directory / shard).is_file() for shard in shards)


def _cached(repository: str, revision: str | None) -> Path | None:
    try:
        directory = Path(
            snapshot_download(
                repository,
                revision=revision,
                allow_patterns=list(WANTED),
                ignore_patterns=list(UNWANTED),
                local_files_only=True,
            )
        )
    except Exception:  # absent; the client has several ways of saying so
        return None
    return directory if is_complete(directory) else None


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
