"""`index calibrate` beside `index PATH...`, and what `doctor` tells of it."""

import json

import pytest

TEXT = "# Thing {i}\n\nThe {name} thing weighs {i} grams and folds into pocket {i} of every rucksack.\n"
NAMES = ["crimson", "amber", "violet", "teal", "ivory", "khaki", "indigo", "maroon", "olive", "coral"]


@pytest.fixture
def trade(command, light_embedder, tmp_path):
    folder = tmp_path / "trade"
    folder.mkdir()
    for i in range(30):
        text = TEXT.format(i=i, name=f"{NAMES[i % 10]}{NAMES[i // 3]}")
        (folder / f"{i}.md").write_text(text, encoding="utf-8")
    assert command("index", str(folder)).code == 0
    return folder


def doctor(command):
    checks = json.loads(command("doctor", "--json").out)
    found = checks["checks"] if isinstance(checks, dict) else checks
    return next(check for check in found if check["name"] == "calibration")


def test_calibrate_says_threshold_figures_and_what_was_left_out(command, trade):
    result = command("index", "calibrate")
    assert result.code == 0
    assert result.out.startswith("en: answers from confidence 0.")
    assert "AUROC" in result.out
    assert "zh: 0 answerable and 30 unanswerable questions are too few" in result.err


def test_doctor_shows_the_calibration(command, trade):
    assert not doctor(command)["facts"]["present"]
    command("index", "calibrate")
    shown = doctor(command)
    assert (shown["status"], shown["facts"]["origin"]) == ("ok", "made from the documents")
    assert shown["facts"]["languages"]["en"]["figures"]["auroc"] > 0.5


def test_index_remarks_a_stale_calibration_and_doctor_warns(command, trade):
    command("index", "calibrate", "--quiet")
    for i in range(30):
        (trade / f"{i}.md").write_text(f"# Else\n\nNothing of number {i} is left here.\n")
    assert "calibrate again with: instructrec index calibrate" in command("index", str(trade)).err
    assert doctor(command)["status"] == "warning"


def test_given_questions_are_named_in_json(command, trade, lines):
    rows = [
        {"question": f"How heavy is the {name}{name} thing {i}?", "answerable": True}
        for i in range(3)
        for name in NAMES
    ]
    rows += [{"question": f"Who wrote novel {i}?", "answerable": False} for i in range(25)]
    found = json.loads(command("index", "calibrate", str(lines("asked.jsonl", *rows)), "--json").out)
    assert found["origin"] == "asked.jsonl"
    assert (found["languages"]["en"]["num_answerable"], found["languages"]["en"]["num_unanswerable"]) == (
        30,
        25,
    )
    assert "sketch" not in found


def test_missing_file_of_questions_is_a_usage_error(command, trade):
    result = command("index", "calibrate", "none.jsonl")
    assert result.code == 2
    assert "is no file" in result.err


def test_folder_called_calibrate_can_be_indexed(command, light_embedder, tmp_path):
    (tmp_path / "calibrate").mkdir()
    (tmp_path / "calibrate" / "a.md").write_text("# A\n\nText.\n")
    assert command("index", "./calibrate").out.startswith("1 added")


def test_options_before_the_paths_still_work(command, own_shop):
    assert json.loads(command("index", "--json", str(own_shop)).out)["unchanged"] == 2
