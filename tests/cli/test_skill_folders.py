"""Skills without code on the command line: listed, run, tried, and looked at by `doctor`."""

import json

import pytest

SKILL = """---
name: packing
description: How to pack a fragile parcel.
triggers: [bubble wrap, 气泡膜]
---
Talk about packing only.
"""


@pytest.fixture
def packing(tmp_path):
    folder = tmp_path / "home" / "data" / "skills" / "packing"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(SKILL, encoding="utf-8")
    return folder


def test_a_folder_of_the_data_directory_is_a_skill(command, packing, model):
    assert "packing" in command("skill", "list").out
    reply = json.loads(command("skill", "run", "packing", "bubble wrap?", "--json").out)
    assert reply["skill"] == "packing"
    assert command("skill", "test", "packing").code == 0
    assert "installed: answer" in command("skill", "run", "juggle", "x").err


def test_doctor_lists_folders_that_are_none(command, packing, light_embedder):
    (packing.parent / "broken").mkdir()
    (packing.parent / "broken" / "SKILL.md").write_text("---\nname: broken\n---\nx", encoding="utf-8")
    content = json.loads(command("doctor", "--json").out)
    found = next(check for check in content["checks"] if check["name"] == "skill folders")
    assert (found["status"], found["facts"]["skills"]) == ("warning", ["packing"])
    assert "description: Field required" in found["detail"]
    assert content["ok"]
    assert "description: Field required" in command("skill", "list").err
