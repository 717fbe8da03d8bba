"""`instructrec models`: which models are here, fetch one, look at one, write a tuned one for others."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialog.cli import output
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.engine.sources import ModelFiles

MEGABYTE = 1_000_000
Name = Annotated[
    str | None,
    typer.Argument(metavar="[MODEL]", help="pypi:NAME, hf:ORG/NAME, a folder or a .gguf; else model.name."),
]


def register(app: typer.Typer) -> None:
    models = typer.Typer(help="List, fetch and inspect language models.", no_args_is_help=True)
    verb(models, "list")(list_models)
    verb(models, "pull")(pull_model)
    verb(models, "info")(show_model)
    verb(models, "export")(export_model)
    app.add_typer(models, name="models")


def list_models(run: Run) -> None:
    """List the models in the cache and those that can be fetched by name."""
    from dialog.engine.catalogue import PACKAGED
    from dialog.engine.sources import installed

    rows: list[dict[str, Any]] = [
        {**files.model_dump(mode="json"), "installed": True}
        for files in sorted(installed(), key=lambda files: files.name)
    ]
    here = {row["name"] for row in rows}
    rows += [
        {
            "name": model.name,
            "installed": False,
            "languages": list(model.languages),
            "license": model.license,
            "download_bytes": model.download_mb * MEGABYTE,
        }
        for name, model in PACKAGED.items()
        if name not in here
    ]
    if run.json:
        run.show_json(rows)
    else:
        run.show(output.table([_columns(row) for row in rows]))


def pull_model(run: Run, name: Name = None) -> None:
    """Fetch a model, or check every byte of the copy that is here."""
    from dialog.engine.sources import pull

    files = pull(name or run.config().values.model.name, progress=run.remark)
    if run.json:
        run.show_json(files)
    elif not run.quiet:
        run.show(described(files))


def show_model(run: Run, name: Name = None) -> None:
    """Show what is known about a model on this machine; nothing is fetched."""
    from dialog.engine.sources import resolve

    files = resolve(name or run.config().values.model.name, offline=True)
    if run.json:
        run.show_json(files)
    else:
        run.show(described(files))


class ExportKind(StrEnum):
    """What is written."""

    safetensors = "safetensors"
    gguf = "gguf"


class ExportPrecision(StrEnum):
    """How exactly."""

    fp32 = "fp32"
    fp16 = "fp16"
    bf16 = "bf16"


def export_model(
    run: Run,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or a new .gguf file.")],
    kind: Annotated[
        ExportKind | None,
        typer.Option("--format", help="Else gguf where OUT ends so, safetensors otherwise."),
    ] = None,
    precision: Annotated[ExportPrecision, typer.Option("--precision", help="Of the weights.")] = (
        ExportPrecision.bf16
    ),
) -> None:
    """Write model.name with model.adapter merged, read it again and compare; for other programs."""
    from dialog.engine.exporting import export
    from dialog.engine.sources import resolve
    from dialog.errors import ModelError

    config = run.config().values.model
    if config.decoder:
        raise ModelError(
            f"the instruction decoder {config.decoder!r} is no part of a model's weights; "
            f"make a LoRA of it with `instructrec tune LOG --out DIR --method lora "
            f"--set training.teacher={config.decoder}`, and export that as model.adapter"
        )
    wanted = kind or (ExportKind.gguf if out.suffix == ".gguf" else ExportKind.safetensors)
    exported = export(
        resolve(config.name, progress=run.remark if run.shows_progress else None),
        adapter=Path(config.adapter).expanduser() if config.adapter else None,
        out=out,
        kind=wanted.value,
        precision=precision.value,
    )
    if run.json:
        run.show_json(exported)
    else:
        run.show(
            f"{exported.path}: {exported.size_bytes / MEGABYTE:.0f} MB, {wanted} in {precision}\n"
            f"read again, logits differ by {exported.difference:.1e} at most; "
            f"from the model before rounding by {exported.rounding:.1e}"
        )


def described(files: ModelFiles) -> str:
    """A model for people, a line a fact."""
    lines = [
        files.name,
        f"  folder       {files.directory}",
        f"  size         {files.size_bytes / MEGABYTE:.0f} MB",
        f"  writes       {' '.join(files.languages)}",
        f"  licence      {files.license or 'not stated'}",
        f"  fingerprint  {files.fingerprint}",
    ]
    return "\n".join([*lines, *(f"  note         {note}" for note in files.notes)])


def _columns(row: dict[str, Any]) -> tuple[str, ...]:
    size = row["size_bytes"] if row["installed"] else row["download_bytes"]
    state = "here" if row["installed"] else "to fetch"
    return (
        row["name"],
        state,
        f"{size / MEGABYTE:.0f} MB",
        " ".join(row["languages"]),
        row["license"] or "no licence stated",
    )
