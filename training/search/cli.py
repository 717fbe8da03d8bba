"""`instructrec tune-search`: settings for `instructrec tune`, found by trying.

instructrec tune-search log.jsonl --val held.jsonl --study study --trials 20
instructrec tune log.jsonl --val held.jsonl --out tuned --config study/best.toml
"""

from __future__ import annotations

import os
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpora.verbs.options import Agents, Format, Inputs, SkipBad
from dialog.cli import output
from dialog.cli.verb import Run, setting, verb
from dialog.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from dialog.values import Transcript

app = typer.Typer(help="Search the settings that suit the data best.")


class Searched(StrEnum):
    """Methods whose settings are searched."""

    decoder = "decoder"
    lora = "lora"


@verb(app, "tune-search")
def tune_search(
    run: Run,
    inputs: Inputs,
    study: Annotated[
        Path,
        typer.Option("--study", metavar="DIR", help="Where it is kept; one that is there goes on."),
    ],
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", min=1, help="How many the study is to have.")
    ] = 20,
    method: Annotated[
        Searched | None, typer.Option("--method", help="What is trained; else training.method.")
    ] = None,
    val: Annotated[
        list[Path] | None,
        typer.Option("--val", metavar="IN", help="Held-out transcripts; else a share of IN. Repeatable."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many conversations of IN.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Where a decoder's features are kept.")
    ] = None,
    format: Format = None,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
) -> None:
    """Search the settings of a method by its cross-entropy on what is held out."""
    if find_spec("optuna") is None:
        raise MissingExtra("search", needed_for="tune-search")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("a search is one process; start it without accelerate launch")
    from dialog.engine.sources import resolve
    from training.data import held_out
    from training.inputs import features_folder, made, read_all
    from training.methods.opening import open_base
    from training.previewing import counts
    from training.search.study import Search
    from training.stopping import stopping
    from training.watching import Watching

    settings = run.config(*([setting("training.method", method.value)] if method else [])).values
    section = settings.training
    if section.objective != "likelihood":
        raise ConfigError("a search compares cross-entropies; leave out training.objective")

    def read(paths: list[Path], most: int | None = None) -> list[Transcript]:
        return read_all(run, paths, format=format, skip_bad=skip_bad, agents=agents, most=most)

    train, valid = (
        (read(inputs, limit), read(val))
        if val
        else held_out(read(inputs, limit), share=section.valid_share, seed=section.seed)
    )
    if not valid:
        raise ConfigError("nothing is held out to compare trials on; name it with --val")
    files = resolve(settings.model.name, progress=run.remark if run.shows_progress else None)
    base = open_base(settings.model, files, section)
    data = made(train, base.chat_tokenizer, section, paths=inputs)
    for line in counts(data, num_held_out=len(valid)):
        run.remark(line)
    watching = Watching(run, shown=run.shows_progress)
    search = Search(
        settings,
        files,
        base,
        train=data,
        valid=made(valid, base.chat_tokenizer, section, paths=val or []),
        features=cache or features_folder(),
        watch=watching,
    )
    with stopping(watching):
        found = search.into(study, num_trials=trials)
    if run.json:
        run.show_json(found)
        return
    run.show(_table(found))
    if found["best"] is None:
        run.show("no trial came to its end; there are no best settings")
    else:
        best = study / "best.toml"
        run.show(f"best: trial {found['best']['trial']}; tune with it: instructrec tune ... --config {best}")


def _table(found: dict[str, Any]) -> str:
    names = list(found["trials"][0]["settings"])
    rows = [("trial", "", "cross-entropy", "epochs done", *names)]
    for one in found["trials"]:
        reached = one["cross_entropy"]
        rows.append(
            (
                str(one["trial"]),
                one["state"],
                "n/a" if reached is None else f"{reached:.4f}",
                str(one["epochs"]),
                *(f"{one['settings'][name]:.3g}" for name in names),
            )
        )
    return output.table(rows)
