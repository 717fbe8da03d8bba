"""A skill's own cases: what it must make of given inputs, counted for each language.

for language, tried in try_cases(skill, tools).items():
    print(language, tried.num_passed, tried.num_cases, tried.failures)
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import BaseModel, Field, JsonValue, ValidationError

from dialog.actions import problems_of
from dialog.cli.skill_batch import input_of, worked
from dialog.cli.skill_records import read_records
from dialog.skill import Skill, Tools
from dialog.values import Language, Value


class Case(Value):
    """An input and the fields of the output that must be equal."""

    language: Language
    input: dict[str, JsonValue]
    expect: dict[str, JsonValue] = Field(min_length=1)


class Tried(Value):
    """How the cases of one language went; `failures` are `FILE:LINE: what` in order."""

    num_cases: int = 0
    num_passed: int = 0
    failures: tuple[str, ...] = ()

    def after(self, failure: str | None) -> Tried:
        """With one more case, failed if there is something to say."""
        return Tried(
            num_cases=self.num_cases + 1,
            num_passed=self.num_passed + (failure is None),
            failures=self.failures if failure is None else (*self.failures, failure),
        )


def try_cases(skill: Skill, tools: Tools) -> Mapping[Language, Tried]:
    """Every case of `spec.cases`, alone; by language, empty without cases.

    Raises:
        CorpusError: the file cannot be read, or a line is no case.
        SkillError: there are cases and it has no work for records.
    """
    path = skill.spec.cases
    tried: dict[Language, Tried] = {}
    if path is None:
        return tried
    model = input_of(skill)
    for record in read_records(path, Case).records:
        assert isinstance(record.item, Case), "read as one"
        language = record.item.language
        failure = _failure(skill, model, record.item, tools)
        where = f"{path.name}:{record.line}: "
        tried[language] = tried.get(language, Tried()).after(failure and where + failure)
    return dict(sorted(tried.items(), reverse=True))


def _failure(skill: Skill, model: type[BaseModel], case: Case, tools: Tools) -> str | None:
    """What is wrong with the output for a case; None if nothing is."""
    try:
        (output,) = worked(skill, [model.model_validate(case.input)], tools)
    except ValidationError as error:
        return f"the input is none: {problems_of(error)}"
    except Exception as error:  # a finding about a stranger's code
        return f"{type(error).__name__}: {error}"
    given = output.model_dump(mode="json")
    wrong = [name for name, value in case.expect.items() if name not in given or given[name] != value]
    said = [f"{name} is {_shown(given.get(name))}, not {_shown(case.expect[name])}" for name in wrong]
    return "; ".join(said) or None


def _shown(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
