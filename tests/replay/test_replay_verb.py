"""`instructrec replay` as a user runs it: verdicts, resuming, workers, rescoring."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dialog.metrics.judged import Given
from dialog.replay.asked import questions
from dialog.replay.failures import failures
from dialog.replay.folder import RunFolder
from dialog.replay.saved import SavedTurn
from dialog.replay.succeeded import with_verdicts
from dialog.values import Transcript
from tests.replay.conftest import TALKS, report, talk, without_times

MANY = [talk(f"c{number:02}", (f"question {number}", "Within 30 days.")) for number in range(12)]
RIGHT = "text = 'Within 30 days.'"
WRONG = "text = 'Within 14 days.'"
EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 4}


def turns(folder):
    return [json.loads(line) for line in (folder / "turns.jsonl").read_text("utf-8").splitlines()]


def test_one_agent_that_answers_all_rightly(command, transcripts, bot, tmp_path):
    result = command("replay", transcripts(), "--agent", bot("a"), "--report-dir", tmp_path / "out")
    assert result.code == 0, result.err
    assert result.out.startswith("PASS: no gate was set (--fail-on)\n3 conversations, 5 turns, 1 seed(s)\n")
    found = report(tmp_path / "out")
    assert (found["verdict"], found["exit_code"], found["failures"]) == ("pass", 0, [])
    assert found["metrics"]["success"]["a"] == 1.0
    assert found["metrics"]["success"]["b"] is found["metrics"]["success"]["difference"] is None
    assert found["metrics"]["intent"]["a"] is None
    assert found["fingerprints"]["b"] is None
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"report.json", "report.html", "report.md", "junit.xml", "turns.jsonl"} <= names


@pytest.mark.parametrize(
    ("a", "gates", "verdict", "first_word"),
    [
        (RIGHT, ["success<-0.02@95"], "pass", "PASS"),
        (WRONG, ["success<-0.02@95"], "fail", "FAIL"),
        (RIGHT, ["intent<0.5"], "inconclusive", "INCONCLUSIVE"),
        (WRONG, ["intent<0.5", "success<-0.02@95"], "fail", "FAIL"),
        (RIGHT, ["mean_ms<-100000", "success<0.5@95"], "pass", "PASS"),
    ],
)
def test_verdict_report_and_exit_code_say_the_same(
    command, transcripts, bot, tmp_path, a, gates, verdict, first_word
):
    options = [part for gate in gates for part in ("--fail-on", gate)]
    agents = ("--agent", bot("a", a), "--against", bot("b", RIGHT))
    result = command("replay", transcripts(*MANY), *agents, *options, "--report-dir", tmp_path / "out")
    found = report(tmp_path / "out")
    assert found["verdict"] == verdict
    assert result.code == found["exit_code"] == EXIT_CODES[verdict]
    assert result.out.startswith(f"{first_word}: ")
    assert f">{first_word}: " in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert (tmp_path / "out" / "report.md").read_text("utf-8").startswith(f"## Replay: {first_word}: ")


def test_another_number_than_the_reference_is_a_failure_at_its_turn(command, transcripts, bot, tmp_path):
    body = "text = ANSWERS[turn['messages'][-1]['content']].replace('7', '17').replace('9', '10')"
    command("replay", transcripts(), "--agent", bot("a", body), "--report-dir", tmp_path / "out")
    assert [
        (one["conversation_id"], one["turn"], one["kind"], one["agent"])
        for one in report(tmp_path / "out")["failures"]
    ] == [("en-2", 0, "number", "a"), ("zh-1", 0, "number", "a")]


def test_an_answer_in_another_language_is_a_failure(command, transcripts, bot, tmp_path):
    command("replay", transcripts(), "--agent", bot("a", "text = '好的'"), "--report-dir", tmp_path / "out")
    kinds = {(one["conversation_id"], one["kind"]) for one in report(tmp_path / "out")["failures"]}
    assert kinds == {("en-1", "language"), ("en-2", "language")}


def test_an_agent_that_never_answers_ends_with_3(command, transcripts, bot, tmp_path):
    result = command("replay", transcripts(), "--agent", bot("a", "sys.exit(1)"), "--report-dir", tmp_path)
    assert (result.code, report(tmp_path)["exit_code"], report(tmp_path)["verdict"]) == (3, 3, "fail")
    assert result.out.startswith("FAIL: an agent never answered\n")


def test_neither_workers_nor_the_order_of_files_change_a_digit(command, transcripts, bot, tmp_path):
    body = "text = 'Within 30 days.' if hash(turn['conversation_id'][-1]) % 2 else 'Within 14 days.'"
    body = body.replace("hash(turn['conversation_id'][-1])", "ord(turn['conversation_id'][-1])")
    agents = ("--agent", bot("a", body), "--against", bot("b", RIGHT), "--seeds", "2")
    first, second = transcripts(*MANY[:5], name="1.jsonl"), transcripts(*MANY[5:], name="2.jsonl")
    command("replay", first, second, *agents, "--report-dir", tmp_path / "one")
    command("replay", second, first, *agents, "--report-dir", tmp_path / "many", "--workers", "8")
    one, many = report(tmp_path / "one"), report(tmp_path / "many")
    assert without_times(one) == without_times(many)
    assert one["metrics"]["success"]["difference"] == -0.5


def test_a_later_turn_is_asked_the_same_bytes_whatever_was_said_before(command, transcripts, bot, tmp_path):
    told = []
    for name, reply in (("a", "'x'"), ("b", "'y' * 999")):
        log = tmp_path / f"{name}.log"
        body = f"open({str(log)!r}, 'ab').write(line)\ntext = {reply}"
        command("replay", transcripts(), "--agent", bot(name, body), "--report-dir", tmp_path / name)
        told.append(log.read_bytes())
    assert told[0] == told[1]
    assert told[0].count(b"\n") == 5


def test_a_finished_run_is_not_asked_again(command, transcripts, bot, tmp_path):
    log = tmp_path / "asked"
    agent = bot("a", f"open({str(log)!r}, 'a').write('.')\ntext = 'x'")
    for _ in range(2):
        result = command("replay", transcripts(), "--agent", agent, "--report-dir", tmp_path / "out")
    assert log.read_text() == "....."
    assert "5 of 5 turns were answered before; 0 are left" in result.err


def test_without_a_folder_the_same_run_is_found_again(command, transcripts, bot):
    command("replay", transcripts(), "--agent", bot("a"))
    result = command("replay", transcripts(), "--agent", bot("a"))
    assert "5 of 5 turns were answered before" in result.err


def test_a_last_line_cut_short_is_dropped_and_said(command, transcripts, bot, tmp_path):
    out = tmp_path / "out"
    command("replay", transcripts(), "--agent", bot("a"), "--report-dir", out)
    whole = (out / "turns.jsonl").read_bytes()
    (out / "turns.jsonl").write_bytes(whole[:-20])
    result = command("replay", transcripts(), "--agent", bot("a"), "--report-dir", out)
    assert "the last line was cut short" in result.err
    assert "4 of 5 turns were answered before" in result.err
    assert len(turns(out)) == 5


def test_a_damaged_line_in_the_middle_is_an_error_with_its_place(command, transcripts, bot, tmp_path):
    out = tmp_path / "out"
    command("replay", transcripts(), "--agent", bot("a"), "--report-dir", out)
    lines = (out / "turns.jsonl").read_text("utf-8").splitlines(keepends=True)
    (out / "turns.jsonl").write_text("".join([lines[0], "{}\n", *lines[2:]]), "utf-8")
    result = command("replay", transcripts(), "--agent", bot("a"), "--report-dir", out)
    assert (result.code, "turns.jsonl:2: no answered turn" in result.err) == (2, True)


@pytest.mark.parametrize("change", ["agent", "transcripts"])
def test_another_run_in_the_same_folder_is_refused(command, transcripts, bot, tmp_path, change):
    command("replay", transcripts(), "--agent", bot("a"), "--report-dir", tmp_path / "out")
    if change == "agent":
        bot("a", "text = 'x'")
    else:
        transcripts(*TALKS[:2])
    path = tmp_path / "talks.jsonl"
    result = command("replay", path, "--agent", tmp_path / "a.toml", "--report-dir", tmp_path / "out")
    what = "agent A" if change == "agent" else "the transcripts"
    assert (result.code, f"holds another run: {what} changed" in result.err) == (2, True)


DRIVER = """\
import sys
from tests.replay.tiny_metrics import modules
sys.modules.update(modules())
from dialog.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def as_process(*arguments):
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", DRIVER, *(str(argument) for argument in arguments)],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def ending_its_parent(tmp_path, number):
    """A bot that sends its parent a signal at the third question, once."""
    marker = tmp_path / "done"
    return (
        f"if turn['conversation_id'] == 'c02' and not os.path.exists({str(marker)!r}):\n"
        f"    open({str(marker)!r}, 'w').close()\n"
        f"    os.kill(os.getppid(), {int(number)})\n"
        "text = 'Within 30 days.'"
    )


@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(
    command, transcripts, bot, tmp_path, workers
):
    agent = bot("a", ending_its_parent(tmp_path, signal.SIGKILL))
    options = (transcripts(*MANY), "--agent", agent, "--seeds", "2", "--workers", workers)
    killed = as_process("replay", *options, "--report-dir", tmp_path / "out")
    assert killed.returncode == -signal.SIGKILL
    num_saved = len(turns(tmp_path / "out"))
    assert num_saved < 24
    resumed = command("replay", *options, "--report-dir", tmp_path / "out")
    assert resumed.code == 0
    if num_saved:
        assert f"{num_saved} of 24 turns were answered before" in resumed.err
    command("replay", *options, "--report-dir", tmp_path / "undisturbed")
    assert without_times(report(tmp_path / "out")) == without_times(report(tmp_path / "undisturbed"))
    assert len(turns(tmp_path / "out")) == 24


def test_ctrl_c_ends_with_130_and_leaves_a_run_that_goes_on(command, transcripts, bot, tmp_path):
    agent = bot("a", ending_its_parent(tmp_path, signal.SIGINT))
    options = ("replay", transcripts(*MANY), "--agent", agent, "--report-dir", tmp_path / "out")
    stopped = as_process(*options)
    assert stopped.returncode == 130, stopped.stderr
    assert "they are saved, run the same again to go on" in stopped.stderr
    assert not (tmp_path / "out" / "report.json").exists()
    assert all(one["given"].get("failure") is None for one in turns(tmp_path / "out"))
    assert command(*options).code == 0
    assert report(tmp_path / "out")["metrics"]["success"]["a"] == 1.0


def test_saved_answers_are_scored_again_without_the_agent(command, transcripts, bot, tmp_path):
    out = tmp_path / "out"
    command("replay", transcripts(), "--agent", bot("a"), "--against", bot("b", WRONG), "--report-dir", out)
    before = report(out)
    for path in (*tmp_path.glob("*.toml"), tmp_path / "talks.jsonl"):
        path.unlink()
    result = command("replay", "--rescore", out, "--metrics", "success", "--fail-on", "success<0.9")
    after = report(out)
    assert result.code == 0, result.err
    assert list(after["metrics"]) == ["success"]
    assert after["metrics"]["success"] == before["metrics"]["success"]


def test_a_turn_that_was_never_answered_counts_as_failed(command, transcripts, bot, tmp_path):
    out = tmp_path / "out"
    command("replay", transcripts(), "--agent", bot("a"), "--against", bot("b"), "--report-dir", out)
    lines = (out / "turns.jsonl").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["agent"] == "a" or "en-2" not in line]
    (out / "turns.jsonl").write_text("".join(kept), "utf-8")
    command("replay", "--rescore", out, "--report-dir", tmp_path / "again")
    found = report(tmp_path / "again")
    assert [(one["agent"], one["kind"]) for one in found["failures"]] == [("b", "missing")]
    assert found["metrics"]["success"]["b"] == 0.8
    assert (tmp_path / "again" / "turns.jsonl").exists()


def test_rescoring_with_the_transcripts_takes_what_is_wanted_from_them(command, transcripts, bot, tmp_path):
    command("replay", transcripts(), "--agent", bot("a"), "--report-dir", tmp_path / "out")
    changed = transcripts(talk("en-2", ("When do you open?", "At 8.")))
    command("replay", changed, "--rescore", tmp_path / "out")
    found = report(tmp_path / "out")
    assert (found["num_turns"], found["metrics"]["success"]["a"]) == (1, 0.0)


def test_only_failed_turns_are_asked_again(command, transcripts, bot, tmp_path):
    log = tmp_path / "mended"
    right = "text = ANSWERS[turn['messages'][-1]['content']]"
    body = f"if turn['turn'] == 0 and not os.path.exists({str(log)!r}): sys.exit(1)\n{right}"
    options = ("replay", transcripts(), "--agent", bot("a", body), "--report-dir", tmp_path / "out")
    command(*options)
    assert len(report(tmp_path / "out")["failures"]) == 3
    log.touch()
    result = command(*options, "--only-failed")
    found = report(tmp_path / "out")
    assert found["failures"] == []
    assert "note: 3 failed turns were asked again; their latest answers count" in result.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--fail-on", "success<<1"], "is no"),
        (["--fail-on", "success<-0.02@95"], "there is no agent B"),
        (["--fail-on", "sucess<0.5"], "sucess"),
        (["--metrics", "chrff"], "chrff"),
        (["--metrics", ","], "name at least one metric"),
        (["--rescore", "nowhere", "--only-failed"], "nowhere"),
    ],
)
def test_usage_errors_end_with_2_before_anything_is_asked(command, transcripts, bot, tmp_path, options, told):
    result = command("replay", transcripts(), "--agent", bot("a"), "--report-dir", tmp_path / "out", *options)
    assert (result.code, told in result.err) == (2, True), result.err
    assert not (tmp_path / "out").exists()


def test_bad_lines_are_errors_or_skipped_and_listed(command, transcripts, bot, tmp_path):
    path = transcripts("{", TALKS[0])
    refused = command("replay", path, "--agent", bot("a"), "--report-dir", tmp_path / "out")
    assert (refused.code, "talks.jsonl:1: " in refused.err) == (2, True)
    skipped = command(
        "replay", path, "--agent", bot("a"), "--report-dir", tmp_path / "out", "--skip-bad", "1"
    )
    assert skipped.code == 0
    assert "skipped: " in skipped.err
    assert report(tmp_path / "out")["notes"] == ["1 bad lines were skipped"]


def test_one_id_in_two_files_is_an_error(command, transcripts, bot):
    first, second = transcripts(TALKS[0], name="1.jsonl"), transcripts(TALKS[0], name="2.jsonl")
    result = command("replay", first, second, "--agent", bot("a"))
    assert (result.code, "the id 'en-1' came before" in result.err) == (2, True)


def test_json_is_the_report(command, transcripts, bot, tmp_path):
    result = command("replay", transcripts(), "--agent", bot("a"), "--report-dir", tmp_path / "out", "--json")
    assert json.loads(result.out) == report(tmp_path / "out")


def test_an_answer_that_says_whether_the_conversation_succeeded_is_believed():

    def verdicts(line, *given):
        asked = questions(Transcript.model_validate(line)).asked
        answered = [
            SavedTurn.of(one.judged(Given(**fields)), agent="a", seed=0)
            for one, fields in zip(asked, given, strict=True)
        ]
        found = with_verdicts(answered, {one.key: failures(one) for one in answered})
        return [one.given.succeeded for one in found]

    assert verdicts(TALKS[0], {"text": "30 days."}, {"text": "Free."}) == [True, True]
    assert verdicts(TALKS[0], {"text": "14 days."}, {"text": "Free."}) == [False, True]
    assert verdicts(TALKS[1], {"text": "7 天。"}, {"text": "我不知道。", "abstained": True}) == [True, False]
    assert verdicts(TALKS[0], {"text": "14 days."}, {"text": "Free.", "succeeded": True}) == [None, True]


def test_rescoring_into_another_runs_folder_is_refused(command, transcripts, bot, tmp_path):
    for name, lines in (("one", TALKS), ("two", TALKS[:1])):
        command("replay", transcripts(*lines), "--agent", bot("a"), "--report-dir", tmp_path / name)
    result = command("replay", "--rescore", tmp_path / "one", "--report-dir", tmp_path / "two")
    assert (result.code, "holds another run: the transcripts changed" in result.err) == (2, True)
    assert len(turns(tmp_path / "two")) == 2


def test_two_replays_into_one_folder_at_once_are_refused(command, transcripts, bot, tmp_path):
    with RunFolder(tmp_path / "out"):
        result = command("replay", transcripts(), "--agent", bot("a"), "--report-dir", tmp_path / "out")
    assert (result.code, "another replay writes here" in result.err) == (2, True)
