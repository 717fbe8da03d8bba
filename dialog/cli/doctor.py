"""`instructrec doctor`: what works, what does not, and what to do about it."""

from __future__ import annotations

import typer

from dialog.cli.verb import Run, verb

SIGNS = {"ok": "ok  ", "warning": "warn", "error": "FAIL"}


def register(app: typer.Typer) -> None:
    verb(app)(doctor)


def doctor(run: Run) -> None:
    """Check the installation; exit 1 if something cannot work."""
    from dialog.cli.checks import examine

    checks = examine(run)
    healthy = all(check.status != "error" for check in checks)
    if run.json:
        run.show_json({"ok": healthy, "checks": [check.model_dump(mode="json") for check in checks]})
    else:
        for check in checks:
            remedy = f"\n      {check.remedy}" if check.remedy else ""
            run.show(f"{SIGNS[check.status]}  {check.name}: {check.detail}{remedy}")
    if not healthy:
        raise typer.Exit(1)
