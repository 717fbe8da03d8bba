"""`instructrec tune-labels`: from labelled texts to a labeller that skills use.

instructrec tune-labels intents.csv --label category --out banking
instructrec tune-labels questions.jsonl --none oos --out questions --light
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dialog.cli.verb import Run, verb

app = typer.Typer(help="Train an encoder to label texts.")


@verb(app, "tune-labels")
def tune_labels(
    run: Run,
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN", help="JSONL, CSV or TSV with texts and labels.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the result goes; a new folder.")],
    val: Annotated[
        list[Path] | None,
        typer.Option("--val", metavar="IN", help="Held-out texts; else a share of IN. Repeatable."),
    ] = None,
    text: Annotated[str, typer.Option("--text", metavar="FIELD", help="The field of the text.")] = "text",
    label: Annotated[str, typer.Option("--label", metavar="FIELD", help="The field of the label.")] = "label",
    none: Annotated[
        list[str] | None,
        typer.Option("--none", metavar="LABEL", help="A label that means none of the others. Repeatable."),
    ] = None,
    light: Annotated[
        bool, typer.Option("--light", help="Train the head alone: seconds instead of minutes.")
    ] = False,
    frozen: Annotated[
        int | None,
        typer.Option(
            "--frozen", metavar="N", min=0, max=12, help="Layers that stay as they are, of 12; else 7."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Passes over the texts.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", help="Learning rate of the layers.")] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, max=510, help="Texts are read so far.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of order, dropout and what is held out.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
) -> None:
    """Train the text encoder to label texts; the result serves intents and sentiment."""
    from training.encoder.options import LabelOptions
    from training.encoder.texts import Parts, ambiguous, divided, read_texts
    from training.encoder.tuning import LabelTuning
    from training.stopping import stopping
    from training.watching import Watching

    given = {"epochs": epochs, "lr": lr, "max_tokens": max_tokens, "num_frozen": 12 if light else frozen}
    options = LabelOptions(seed=seed, **{name: value for name, value in given.items() if value is not None})
    texts, notes = read_texts(inputs, text=text, label=label)
    parts = divided(texts, none=none or (), share=0.0 if val else options.share, seed=seed)
    if val:
        held, more = read_texts(val, text=text, label=label)
        own = divided(held, none=none or (), share=0.0, seed=seed)
        parts, notes = Parts(parts.train, own.train, parts.none + own.none), notes + more
    if num := ambiguous(texts):
        notes.append(f"{num} texts carry more than one label")
    for note in notes:
        run.remark(note)
    watching = Watching(run, shown=run.shows_progress)
    tuning = LabelTuning(parts, options, watch=watching)
    run.remark(
        f"{len(parts.train)} texts, {len(tuning.labels)} labels, {len(parts.held_out)} held out, "
        f"{len(parts.none)} of no label"
    )
    with stopping(watching):
        card = tuning.into(out, resume=resume)
    if card["cut"]:
        run.remark(f"{card['cut']} texts were read to {options.max_tokens} pieces; see --max-tokens")
    if run.json:
        run.show_json(card)
        return
    right = card["held_out_accuracy"]
    reached = "nothing held out" if right is None else f"{100 * right:.1f} % right on what was held out"
    run.show(f"{reached}; saved in {out}")
