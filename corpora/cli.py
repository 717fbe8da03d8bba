"""`instructrec data`: the verbs for transcripts as files.

Each is a small file under `corpora/verbs/` with a function `register(app)`; another verb is one
more name in `_VERB_FILES`.
"""

from __future__ import annotations

import typer

from corpora.verbs import check, convert, inspect, mix, scrub, split

_VERB_FILES = (convert, scrub, check, split, mix, inspect)

app = typer.Typer(help="Read, convert, divide and browse transcripts.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Read, convert, divide and browse transcripts."""


for _file in _VERB_FILES:
    _file.register(app)
