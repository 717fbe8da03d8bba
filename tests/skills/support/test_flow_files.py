"""Flow files: what is accepted, and how a mistake is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dialog.errors import ConfigError
from skills.support import load
from tests.skills.support.conftest import SHOP

BOTH = {"zh": "好", "en": "ok"}
SLOT = {"kind": "text", "label": BOTH, "ask": BOTH}
FLOW = {"description": BOTH, "examples": {"zh": ["办事"], "en": ["do it"]}, "reply": BOTH}


def written(path: Path, content: Any) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def test_the_sample_shops_file_is_read_and_is_the_same_in_yaml(tmp_path: Path) -> None:
    flows = load(SHOP)
    assert list(flows.flows) == [
        "cancel_order",
        "return_item",
        "change_address",
        "refund_missing",
        "complaint",
    ]
    assert load(written(tmp_path / "shop.yaml", json.loads(flows.model_dump_json()))) == flows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"flow": {}}, "flow, unknown key, did you mean 'flows'?"),
        ({"slots": {"a": {**SLOT, "kind": "fax"}}}, "slots.a.kind, Input should be"),
        ({"slots": {"a": {"kind": "text", "label": BOTH}}}, "slots.a.ask, missing, add it"),
        ({"slots": {"a": {**SLOT, "kind": "id"}}}, "slots.a, `pattern` belongs to kind 'id'"),
        (
            {"slots": {"a": {**SLOT, "kind": "id", "pattern": "("}}},
            "slots.a, `pattern` is no regular expression",
        ),
        ({"slots": {"flow": SLOT}}, "slots, the name 'flow' is the skill's own, choose another"),
        ({"flows": {"f": {**FLOW, "slots": ["a"]}}}, "flows.f.slots: there is no slot 'a', declare it"),
        (
            {
                "slots": {"a": SLOT},
                "flows": {"f": {**FLOW, "slots": ["a"], "reply": {"zh": "{b}", "en": "x"}}},
            },
            "flows.f.reply: there is no slot 'b', declare it or use one of a",
        ),
        ({"flows": {"f": {**FLOW, "action": {"name": "x"}}}}, "flows.f, an action needs `confirm`"),
        ({"flows": {"f": {**FLOW, "hand_off": BOTH}}}, "flows.f, a flow ends with one of"),
        (
            {"flows": {"f": {**FLOW, "examples": {"en": ["a"]}}}},
            "flows.f, `examples` need sentences in zh and en",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(tmp_path: Path, content: Any, message: str) -> None:
    path = written(tmp_path / "flows.yaml", content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.toml", "[slots", "not TOML"),
        ("f.yaml", "a: [", "not YAML"),
        ("f.json", "{}", "save it as .toml or .yaml"),
        ("f.yaml", "!!python/object/apply:os.getcwd []", "not YAML"),
    ],
)
def test_what_is_no_flow_file_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"skills\.options\.support\.flows"):
        load(tmp_path / "none.toml")
