"""A verb: a function that takes a `Run` and its own arguments, with the common options added.

`verb` gives every command `--config`, `--set`, `--quiet`, `--traceback` and,
where it prints data, `--json`; what they say arrives as the `Run`. Plug-ins of
the group `instructrec.commands` may use it too.

    app = typer.Typer()

    @verb(app)
    def count(run: Run, path: Path) -> None:
        "Count the passages of the index."
        run.remark(f"reading {path}")
        run.show_json({"num_passages": 3})
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from dialog.cli import output

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dialog.agent import DialogAgent
    from dialog.config import Config
    from dialog.store.sql import SqlStore

Function = TypeVar("Function", bound=Callable[..., None])


@dataclass(frozen=True)
class Run:
    """One invocation: the common options, and the parts they lead to."""

    config_file: Path | None = None
    overrides: tuple[str, ...] = ()
    json: bool = False
    quiet: bool = False
    traceback: bool = False

    def config(self, *more: str) -> Config:
        """The configuration; `more` are further `section.key=value` strings, stronger than `--set`."""
        from dialog.config import load_config

        return load_config(self.config_file, overrides=(*self.overrides, *more))

    def agent(self, *more: str) -> DialogAgent:
        """An agent of that configuration; a context manager."""
        from dialog.agent import DialogAgent

        return DialogAgent(self.config(*more), progress=self.remark if self.shows_progress else None)

    def store(self) -> SqlStore:
        """The conversation store of the configuration; a context manager."""
        from dialog.store import open_store

        return open_store(self.config().store_url)

    def show(self, text: str) -> None:
        """A line of the result, on stdout."""
        output.show(text)

    def show_json(self, value: BaseModel | dict[str, Any] | list[Any]) -> None:
        """One line of JSON, on stdout."""
        output.show_json(value)

    def remark(self, text: str) -> None:
        """A line beside the result, on stderr; `--quiet` drops it."""
        if not self.quiet:
            output.remark(text)

    def warn(self, text: str) -> None:
        """A line on stderr that even `--quiet` keeps: something was left out or has failed."""
        output.remark(text)

    @property
    def shows_progress(self) -> bool:
        """Progress is for people: only on a terminal, and not with `--quiet`."""
        return sys.stderr.isatty() and not self.quiet


def verb(app: typer.Typer, name: str | None = None, *, data: bool = True) -> Callable[[Function], Function]:
    """Register a function as a command of `app`.

    Args:
        app: where it goes.
        name: of the command; the function's own by default.
        data: whether the verb prints data, and so has `--json`.
    """

    def register(function: Function) -> Function:
        app.command(name or function.__name__)(_with_common_options(function, data=data))
        return function

    return register


def setting(key: str, value: str) -> str:
    """A `--set` string for a flag that stands for a setting; `value` stays text whatever it looks like."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}="{quoted}"'


def _with_common_options(function: Callable[..., None], *, data: bool) -> Callable[..., None]:
    common = [*_COMMON, *([_JSON] if data else [])]
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    @functools.wraps(function)
    def command(**given: Any) -> None:
        run = Run(
            config_file=given.pop("config_file"),
            overrides=tuple(given.pop("overrides") or ()),
            json=given.pop("json", False),
            quiet=given.pop("quiet"),
            traceback=given.pop("traceback"),
        )
        function(run, **given)

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own + common]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del command.__wrapped__
    return command


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_COMMON = (
    _option(
        "config_file",
        Annotated[
            Path | None,
            typer.Option(
                "--config", metavar="FILE", help="Read this configuration instead of ./instructrec.toml."
            ),
        ],
        None,
    ),
    _option(
        "overrides",
        Annotated[
            list[str] | None,
            typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override a setting; may be repeated."),
        ],
        None,
    ),
    _option("quiet", Annotated[bool, typer.Option("--quiet", help="No remarks and no progress.")], False),
    _option(
        "traceback", Annotated[bool, typer.Option("--traceback", help="Show where an error arose.")], False
    ),
)
_JSON = _option("json", Annotated[bool, typer.Option("--json", help="Print JSON, one value a line.")], False)
