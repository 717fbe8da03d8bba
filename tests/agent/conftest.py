from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from dialog import DialogAgent, load_config
from dialog.testing import FixedRetriever, ScriptedModel

MakeAgent = Callable[..., DialogAgent]


@pytest.fixture
def make_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeAgent]:
    """Agents over a scripted model that share one store in a temporary folder."""
    monkeypatch.setenv("INSTRUCTREC_HOME", str(tmp_path))
    opened: list[DialogAgent] = []

    def make(
        model: ScriptedModel | None = None,
        retriever: FixedRetriever | None = None,
        overrides: Sequence[str] = (),
        **parts: Any,
    ) -> DialogAgent:
        config = load_config(overrides=overrides, environment={})
        agent = DialogAgent(config, model=model or ScriptedModel(["Yes."] * 20), retriever=retriever, **parts)
        opened.append(agent)
        return agent

    yield make
    for agent in opened:
        agent.close()
