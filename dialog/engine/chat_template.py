"""Chat templates rendered as transformers renders them, without importing it.

    template = compile_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    template.render(messages=[...], add_generation_prompt=True, bos_token="<s>")

The same sandbox, block trimming, filters and globals; a test holds the two
equal. A template comes with a model and is not trusted: it sees plain values
only, can change none, and cannot reach Python's insides.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace


class _Generation(Extension):
    """`{% generation %}` marks for training what the assistant said; here its body is simply rendered."""

    tags = {"generation"}  # noqa: RUF012  # jinja declares it a set

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body).set_lineno(line)


class _PublicNamespace(Namespace):
    """A namespace without underscored names, by which a template could reach what is not its own."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # positional `self`: a template may name a key so
        self, *values = args
        attributes = dict(*values, **kwargs)
        for name in attributes:
            _check_public(name)
        Namespace.__init__(self, attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_public(name)
        super().__setitem__(name, value)


class _Dict:
    """`dict(...)` without the type behind it."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args)


def compile_template(source: str) -> jinja2.Template:
    """Raises jinja2.TemplateError for one that cannot be parsed."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals |= {
        "raise_exception": _raise,
        "strftime_now": _now,
        "dict": _Dict(),
        "namespace": _PublicNamespace,
    }
    return environment.from_string(source)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Jinja's own filter would escape what means something in HTML."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _now(format: str) -> str:
    return datetime.now().strftime(format)


def _check_public(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a chat template may not name {name!r} in a namespace")
