"""The part of `doctor` that looks at what the configuration names: model, embedder, index, store, skills."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dialog.cli.checks import Check
from dialog.cli.config import masked
from dialog.config import Config
from dialog.errors import ModelError

if TYPE_CHECKING:
    from dialog.knowledge.calibration import Standing


def _model(config: Config) -> Iterator[Check]:
    from dialog.engine.load import explain
    from dialog.engine.sources import resolve

    name = config.values.model.name
    if name.startswith("openai:"):
        yield _served(config)
        return
    try:
        files = resolve(name, offline=True)
    except ModelError as error:
        yield Check(
            name="model",
            status="warning",
            detail=str(error),
            remedy=f"instructrec models pull {name}",
            facts={"name": name, "present": False},
        )
        return
    yield Check(
        name="model",
        status="ok",
        detail=f"{name}, {files.size_bytes / 1_000_000:.0f} MB, writes {' '.join(files.languages)}",
        facts={
            "name": name,
            "present": True,
            "fingerprint": files.fingerprint,
            "languages": list(files.languages),
        },
    )
    engine = explain(config.values.model, files)
    yield Check(
        name="engine",
        status="warning" if engine.startswith("transformers") else "ok",
        detail=engine,
        facts={"engine": engine},
    )


def _served(config: Config) -> Check:
    """Asks the server; what it tells beside its answer are the remarks of `chat`."""
    from dialog.engine.remote.open import open_remote

    remarks: list[str] = []
    try:
        info = open_remote(config.values.model, progress=remarks.append).info
    except ModelError as error:
        return Check(
            name="model",
            status="warning",
            detail=str(error),
            remedy="start the server, or name a model on this machine",
            facts={"name": config.values.model.name, "present": False},
        )
    return Check(
        name="model",
        status="warning" if remarks else "ok",
        detail="; ".join([f"{info.name}, {info.context_tokens} tokens", info.engine, *remarks]),
        facts={"name": info.name, "present": True, "engine": info.engine, "languages": list(info.languages)},
    )


def _embedder(config: Config) -> Iterator[Check]:
    from dialog.knowledge.embed import open_embedder

    embedder = open_embedder(config.values.knowledge.embedder)
    (vector,) = embedder.embed_queries(["你好"])
    yield Check(
        name="embedder",
        status="ok",
        detail=f"{embedder.name}, {len(vector)} dimensions",
        facts={"name": embedder.name, "fingerprint": embedder.fingerprint, "dimension": len(vector)},
    )


def _index(config: Config) -> Iterator[Check]:
    from dialog.knowledge.abstain import THRESHOLDS
    from dialog.knowledge.base import open_knowledge

    path = config.knowledge_path
    if not (path / "manifest.json").is_file():
        yield Check(
            name="index",
            status="warning",
            detail=f"nothing is indexed at {path}; the agent answers without documents",
            remedy="instructrec index PATH...",
            facts={"path": str(path), "present": False},
        )
        return
    section = config.values.knowledge
    with open_knowledge(path, section) as knowledge:
        num_documents, num_chunks = knowledge.counts
        fingerprint = knowledge.fingerprint
        calibrated = knowledge.calibrated()
    fixed = section.min_confidence
    fits = calibrated.calibration.languages if calibrated and calibrated.is_used else {}
    thresholds = dict(THRESHOLDS) | {language: fit.threshold for language, fit in fits.items()}
    thresholds["und"] = thresholds["en"]
    if fixed is not None:
        thresholds = dict.fromkeys(thresholds, fixed)
    shown = ", ".join(f"{language} {threshold:.2f}" for language, threshold in thresholds.items())
    yield Check(
        name="index",
        status="ok",
        detail=f"{path}, {num_documents} documents, {num_chunks} passages, answers from confidence {shown}",
        facts={
            "path": str(path),
            "present": True,
            "fingerprint": fingerprint,
            "num_documents": num_documents,
            "num_chunks": num_chunks,
            "thresholds": thresholds,
        },
    )
    yield _calibration(calibrated)


def _calibration(calibrated: Standing | None) -> Check:
    """Curves and thresholds of an index's own, or that it has none."""
    from dialog.cli.calibrate import described

    remedy = "instructrec index calibrate [QUESTIONS.jsonl]"
    if calibrated is None:
        return Check(
            name="calibration",
            status="ok",
            detail=f"none: the default curves, fitted on other documents, are used; fit them with {remedy}",
            facts={"present": False},
        )
    found = calibrated.calibration
    return Check(
        name="calibration",
        status="warning" if calibrated.is_stale else "ok",
        detail="; ".join([*filter(None, [calibrated.why_stale]), *described(found).values(), *found.notes]),
        remedy=remedy if calibrated.is_stale else "",
        facts={
            "present": True,
            "stale": calibrated.why_stale or None,
            **found.model_dump(mode="json", exclude={"sketch", "format"}),
        },
    )


def _store(config: Config) -> Iterator[Check]:
    from dialog.store import open_store
    from dialog.store.migrations import VERSION

    url = str(masked(config.store_url))
    if config.store_url.startswith("sqlite:///") and not Path(config.store_url[10:]).exists():
        yield Check(
            name="store", status="ok", detail=f"{url}, made with the first conversation", facts={"url": url}
        )
        return
    with open_store(config.store_url) as store:
        num_bytes = store.num_bytes()
        notices = " ".join(store.notices)
    schema = VERSION  # opening brings a store up to it, or fails
    yield Check(
        name="store",
        status="warning" if notices else "ok",
        detail=notices or f"{url}, schema {schema}, {num_bytes} bytes said",
        facts={"url": url, "schema": schema, "num_bytes": num_bytes},
    )


def _skill_folders(config: Config) -> Iterator[Check]:
    from dialog import plugins
    from dialog.skill_folder import BadFolder, read_folders

    found = read_folders(config.skill_folders)
    taken = sorted(set(found.skills) & set(plugins.names("instructrec.skills")))
    bad = [*found.bad, *(BadFolder(Path(name), "a plug-in has this name; rename it") for name in taken)]
    ignored = {name: list(one.ignored) for name, one in found.skills.items() if one.ignored}
    notes = [f"{name}: {', '.join(fields)} mean nothing here" for name, fields in ignored.items()]
    told = [f"{one.path}: {one.problem}" for one in bad]
    yield Check(
        name="skill folders",
        status="warning" if bad else "ok",
        detail="; ".join([*told, f"{len(found.skills) - len(taken)} skills without code", *notes]),
        remedy="mend the folder, or take it out of skills.folders" if bad else "",
        facts={
            "skills": sorted(found.skills),
            "bad": {str(one.path): one.problem for one in bad},
            "ignored": ignored,
        },
    )


ALL: Mapping[str, Callable[[Config], Iterator[Check]]] = {
    "model": _model,
    "embedder": _embedder,
    "index": _index,
    "store": _store,
    "skill folders": _skill_folders,
}
