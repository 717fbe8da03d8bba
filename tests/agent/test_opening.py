"""What the configuration opens, and how plug-ins join."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from dialog import DialogAgent, load_config, plugins
from dialog.errors import ConfigError, ModelError
from dialog.testing import ScriptedModel
from tests.agent.conftest import MakeAgent


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def add(group: str, name: str, value: Any) -> None:
        point = EntryPoint(name=name, group=group, value="somewhere:thing")
        real = plugins._allowed
        monkeypatch.setattr(
            plugins, "_allowed", lambda asked: [*real(asked), *([point] if asked == group else [])]
        )
        original = EntryPoint.load
        monkeypatch.setattr(
            EntryPoint, "load", lambda it: value() if it is point or it == point else original(it)
        )

    return add


def test_an_engine_joins_by_the_scheme_of_the_models_name(make_agent: MakeAgent, register: Any) -> None:
    model = ScriptedModel(["Hello."])
    register("instructrec.engines", "mine", lambda: lambda section, *, progress: model)
    with DialogAgent(load_config(overrides=["model.name='mine:thing'"], environment={})) as agent:
        assert agent.model is model


def test_a_broken_engine_is_named(make_agent: MakeAgent, register: Any) -> None:
    def broken() -> Any:
        raise ImportError("no module named gone")

    register("instructrec.engines", "mine", broken)
    with (
        DialogAgent(load_config(overrides=["model.name='mine:thing'"], environment={})) as agent,
        pytest.raises(ModelError, match="no module named gone"),
    ):
        _ = agent.model


def test_a_skill_whose_constructor_fails_is_left_out_and_said(make_agent: MakeAgent, register: Any) -> None:
    told: list[str] = []

    def make() -> Any:
        raise RuntimeError("no licence")

    register("instructrec.skills", "zzz", lambda: make)
    agent = make_agent(progress=told.append)
    assert "zzz" not in [skill.spec.name for skill in agent.skills]
    assert told == ["skill 'zzz' is left out: no licence; see instructrec doctor"]


def test_an_unknown_default_skill_is_an_error(make_agent: MakeAgent) -> None:
    with pytest.raises(ConfigError, match="'sing' is not installed"):
        _ = make_agent(overrides=["skills.default='sing'"]).skills
