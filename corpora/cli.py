"""`instructrec data`: the verbs for transcripts as files.

Each is a small file under `corpora/verbs/` with a function `register(app)`; another verb is one
more name in `_VERB_FILES`.
"""

from __future__ import annotations

import signal
import threading

import typer

from corpora.verbs import accept, check, convert, faq, inspect, intents, mix, scrub, split, synth

_VERB_FILES = (convert, scrub, check, split, mix, inspect, intents, faq, accept, synth)

app = typer.Typer(help="Read, convert, divide and browse transcripts.", no_args_is_help=True)


@app.callback()
def _group(context: typer.Context) -> None:
    """Read, convert, divide and browse transcripts."""
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, _stop)
        context.call_on_close(lambda: signal.signal(signal.SIGTERM, before))


def _stop(number: int, frame: object) -> None:
    """End as an interruption does, so that unfinished files are removed."""
    raise SystemExit(128 + number)


for _file in _VERB_FILES:
    _file.register(app)
