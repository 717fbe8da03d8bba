"""The skill `intents`: what messages want, noted in a conversation or told of a file of them.

Configured in `[skills.options.intents]`: `model`, a folder of `instructrec tune-labels`; or
`examples`, a TOML file of intents and what people say. With neither, the common intents of
customer service that are shipped (`common.toml`). Without a `model` folder they are told by the nearest
example, or with `by = "model"` by the language model, from their names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from dialog.errors import SkillError
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.values import Value
from skills.intents.chosen import ChosenIntents
from skills.intents.intent import Intent, IntentClassifier
from skills.intents.nearest import NearestIntents
from skills.intents.trained import TrainedIntents

_HERE = Path(__file__).parent
_EXAMPLES = TypeAdapter(dict[str, tuple[str, ...]])


class Said(Value):
    """One message."""

    text: str = Field(min_length=1)


class Intents:
    """Names what a message wants, or says that it wants none of the intents that are known."""

    spec = SkillSpec(
        name="intents",
        description="name what a message wants, or that it is none of the known intents",
        input=Said,
        output=Intent,
        cases=_HERE / "cases.jsonl",
        titles={"en": "what a message wants", "zh": "识别意图"},
    )

    def __init__(self) -> None:
        self._opened: tuple[Tools, object, IntentClassifier] | None = None

    def matches(self, turn: SkillTurn) -> float:
        """Never by itself: it answers nothing."""
        return 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """Note the intent, and answer as usual."""
        (intent,) = self.classifier(turn.tools).classify([turn.text])
        turn.note_intent(intent.name, intent.confidence)
        return turn.answer()

    def work(self, items: Sequence[Said], tools: Tools) -> Iterator[Intent]:
        """Raises SkillError, ModelError, KnowledgeError."""
        yield from self.classifier(tools).classify([one.text for one in items])

    def classifier(self, tools: Tools) -> IntentClassifier:
        """The one that is configured; opened once for the same tools.

        Raises:
            SkillError: an option is not a path, or names something else.
            ModelError: the folder holds no labeller.
        """
        options = dict(tools.options("intents"))
        if self._opened is None or self._opened[0] is not tools or self._opened[1] != options:
            self._opened = (tools, options, _open(options, tools))
        return self._opened[2]


def _open(options: Mapping[str, object], tools: Tools) -> IntentClassifier:
    if unknown := sorted(options.keys() - {"model", "examples", "by"}):
        raise SkillError(f"skills.options.intents has no {unknown[0]!r}; it takes `model`, `examples`, `by`")
    for name, value in options.items():
        if not isinstance(value, str):
            raise SkillError(f"skills.options.intents.{name} is {value!r}, not a text")
    if "model" in options:
        return TrainedIntents.load(Path(str(options["model"])))
    path = Path(str(options["examples"])) if "examples" in options else _HERE / "common.toml"
    examples = read_examples(path)
    match options.get("by", "examples"):
        case "examples":
            return NearestIntents(tools.embedder, examples)
        case "model":
            return ChosenIntents(tools.model, list(examples))
        case other:
            raise SkillError(f'skills.options.intents.by is {other!r}; it is "examples" or "model"')


def read_examples(path: Path) -> dict[str, tuple[str, ...]]:
    """What people say, by intent, from a TOML file of `name = ["...", ...]`.

    Raises:
        SkillError: it cannot be read, or holds something else.
    """
    try:
        found = _EXAMPLES.validate_python(
            {name: tuple(texts) for name, texts in tomllib.loads(path.read_text(encoding="utf-8")).items()}
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValidationError) as error:
        problem = str(error).splitlines()[0]
        raise SkillError(
            f'{str(path)!r} is no table of `intent = ["what people say", ...]`: {problem}'
        ) from error
    if not found:
        raise SkillError(f"{str(path)!r} names no intents")
    return found
