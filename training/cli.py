"""`instructrec tune`: from transcripts to a tuned model, seen as it learns.

instructrec tune log.jsonl --preview
instructrec tune log.jsonl --out tuned --method lora
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from corpora.verbs.options import Agents, Format, Inputs, SkipBad
from dialog.cli.verb import Run, setting, verb
from dialog.errors import CorpusError

if TYPE_CHECKING:
    from dialog.config import Config
    from dialog.protocols import ChatTokenizer
    from dialog.settings import Settings
    from dialog.values import Transcript
    from training.generated import Rehearsal
    from training.watching import Watching

app = typer.Typer(help="Tune a model on transcripts.")


class Unheard(Run):
    """What all processes but the first one are given: it speaks for them. Errors are still raised."""

    def show(self, text: str) -> None: ...

    def show_json(self, value: object) -> None: ...

    def remark(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    @property
    def shows_progress(self) -> bool:
        return False


class MethodName(StrEnum):
    """Ways of tuning."""

    decoder = "decoder"
    lora = "lora"
    lora_decoder = "lora+decoder"
    adalora = "adalora"
    prefix = "prefix"
    adapter = "adapter"
    full = "full"


@verb(app)
def tune(
    run: Run,
    inputs: Inputs,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the result goes; a new folder.")
    ] = None,
    method: Annotated[
        MethodName | None, typer.Option("--method", help="What is trained; else training.method.")
    ] = None,
    val: Annotated[
        list[Path] | None,
        typer.Option("--val", metavar="IN", help="Held-out transcripts; else a share of IN. Repeatable."),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Passes over the data.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many conversations of IN.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show which tokens would be trained on, and how many.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Keep no features of the model on disk (decoder).")
    ] = False,
    cache: Annotated[
        Path | None, typer.Option("--cache", metavar="DIR", help="Where those features are kept.")
    ] = None,
    format: Format = None,
    skip_bad: SkipBad = 0,
    agents: Agents = None,
) -> None:
    """Tune the configured model on transcripts; the model itself is never changed."""
    if out is None and not preview:
        raise typer.BadParameter("say where the result goes, or --preview", param_hint="--out")
    run = run if int(os.environ.get("RANK", "0")) == 0 else Unheard(**vars(run))
    config = run.config(*_settings(method, epochs, lr))

    def read(paths: list[Path], most: int | None = None) -> list[Transcript]:
        return read_all(run, paths, format=format, skip_bad=skip_bad, agents=agents, most=most)

    from training.data import held_out
    from training.inputs import features_folder, read_all

    section = config.values.training
    if val:
        train, valid = read(inputs, limit), read(val)
    else:
        train, valid = held_out(read(inputs, limit), share=section.valid_share, seed=section.seed)
    if preview:
        _preview(run, config, train, valid, paths=inputs)
        return
    assert out is not None
    keeps = section.method == "decoder" or (section.method, section.combine) == ("lora+decoder", "staged")
    features = None if no_cache or not keeps else cache or features_folder()
    _tune(run, config, train, valid, paths=(inputs, val or []), out=out, resume=resume, features=features)


def _settings(method: MethodName | None, epochs: int | None, lr: float | None) -> list[str]:
    named = [setting("training.method", method.value)] if method else []
    named += [f"training.epochs={epochs}"] if epochs else []
    return named + ([f"training.lr={lr}"] if lr is not None else [])


def _preview(
    run: Run, config: Config, train: list[Transcript], valid: list[Transcript], *, paths: list[Path]
) -> None:
    from dialog.engine.open_tokenizer import open_tokenizer
    from training.card import described
    from training.inputs import made
    from training.previewing import counts, show_tokens

    section = config.values.training
    tokenizer = open_tokenizer(config.values.model, progress=run.remark if run.shows_progress else None)
    data = made(train, tokenizer, section, paths=paths)
    if run.json:
        run.show_json({"train": described(data), "held_out": {"conversations": len(valid)}})
        return
    show_tokens(train, tokenizer, limit_tokens=section.limit_tokens)
    for line in counts(data, num_held_out=len(valid)):
        run.show(line)


def _tune(
    run: Run,
    config: Config,
    train: list[Transcript],
    valid: list[Transcript],
    *,
    paths: tuple[list[Path], list[Path]],
    out: Path,
    resume: bool,
    features: Path | None,
) -> None:
    from dialog.engine.load import choose_device
    from dialog.engine.sources import resolve
    from training.inputs import made
    from training.methods.opening import open_base
    from training.previewing import counts, left_out
    from training.ranks import open_ranks
    from training.staged import Staged
    from training.stopping import stopping
    from training.tune import Tuning
    from training.watching import Watching, result

    settings = config.values
    section = settings.training
    files = resolve(settings.model.name, progress=run.remark if run.shows_progress else None)
    ranks = open_ranks(choose_device(settings.model.device))
    base = open_base(settings.model, files, section)

    data = made(train, base.chat_tokenizer, section, paths=paths[0])
    try:
        held = made(valid, base.chat_tokenizer, section, paths=paths[1]) if valid else None
    except CorpusError as error:
        if paths[1]:
            raise
        held = None
        run.warn(f"nothing is measured, what was held out is of no use: {error}")
    for line in (*counts(data, num_held_out=len(valid)), *(left_out(held, of="held out: ") if held else ())):
        run.remark(line)
    watching = Watching(run, shown=run.shows_progress)
    rehearsal = _rehearsal(settings, valid, base.chat_tokenizer, watching)
    tuned: dict[str, Any] = {
        "train": data,
        "valid": held,
        "watch": watching,
        "features": features,
        "rehearsal": rehearsal,
        "ranks": ranks,
    }
    is_staged = section.method == "lora+decoder" and section.combine == "staged"
    tuning = Staged(settings, files, base, **tuned) if is_staged else Tuning(settings, base, **tuned)
    for line in tuning.about():
        run.remark(line)
    with stopping(watching):
        card = tuning.into(out, resume=resume)
    ranks.leave()
    if not ranks.is_first:
        return
    if run.json:
        run.show_json(card)
    else:
        run.show(result(card, out))


def _rehearsal(
    settings: Settings, valid: list[Transcript], tokenizer: ChatTokenizer, watching: Watching
) -> Rehearsal | None:
    from training.asked import choose_turns
    from training.generated import Rehearsal

    section = settings.training
    asked = choose_turns(
        valid,
        tokenizer,
        most=section.eval_turns,
        seed=section.seed,
        limit_tokens=section.limit_tokens,
        max_tokens=section.eval_tokens,
    )
    return Rehearsal(settings, asked, stop=watching.wants_to_stop) if asked.turns else None
