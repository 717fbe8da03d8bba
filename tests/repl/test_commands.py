"""What the commands do, typed as a user types them."""

import json
import os

import pytest
from pydantic import BaseModel

from dialog import Action, DialogAgent
from dialog.events import ActionProposed, Finished
from dialog.repl.commands import TABLE
from dialog.repl.reopen import Reopened
from dialog.skill import SkillSpec
from dialog.testing import FixedRetriever, ScriptedModel
from dialog.testing.retrieve import passage
from dialog.values import Attribution
from tests.repl.conftest import EventStream

pytestmark = pytest.mark.timeout(30)


def below(shown, line):
    """What stands between the last `line` and the next prompt."""
    lines = shown.split("\n")
    at = max(number for number, text in enumerate(lines) if text == line)
    rest = lines[at + 1 :]
    end = next((number for number, text in enumerate(rest) if text.startswith("›")), len(rest))
    return [text for text in rest[:end] if text]


def turns(talk, conversation_id="c-1"):
    return [(turn.user, turn.reply) for turn in talk.agent.history(conversation_id).turns()]


def test_the_table_has_every_promised_command():
    promised = (
        "/help /sources /context /history /new /resume /model /exit /undo /redo /edit /retry /fork /tree "
        "/switch /instructions /skills /skill /decoder /adapter /rate /actions /approve /reject /why /export "
        "/save /load /set /clear"
    )
    assert {command.name for command in TABLE} == set(promised.split())


def test_no_two_commands_share_a_name():
    names = [name for command in TABLE for name in (command.name, *command.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("columns", "rows"), [(80, 60), (40, 120)])
def test_help_lists_all_commands_within_the_width(start, columns, rows):
    shown = start(columns=columns, rows=rows)("/help\r")
    assert [command.name for command in TABLE if command.name not in shown] == []
    assert "let one skill answer" in shown


def test_help_about_one_command(start):
    assert below(start()("/help undo\r"), "› /help undo") == ["/undo   take the last turn back"]


def test_a_mistyped_command_is_answered_with_the_nearest_and_never_sent(start):
    talk = start()
    shown = talk("/souces please\r", conversation_id="c-1")
    assert "no command '/souces', did you mean /sources?" in shown
    assert turns(talk) == []


def test_nonsense_points_to_help(start):
    assert "no command '/qqqqqqq', see /help" in start()("/qqqqqqq\r")


def test_a_crash_in_a_command_is_one_line(start):
    talk = start()
    talk.agent.preview = talk.agent.undo = lambda *_: [][1]
    shown = talk("/undo\r/help undo\r")
    assert below(shown, "› /undo") == ["/undo failed: IndexError: list index out of range"]
    assert "take the last turn back" in shown


def test_context_draws_the_budget_and_names_the_parts(start):
    fees = passage("Returns are free.", title="Returns", source="returns.md")
    talk = start(
        model=ScriptedModel(["Returns are free."]),
        retriever=FixedRetriever([fees]),
        overrides=["prompt.limit_tokens=400"],
    )
    shown = below(talk("Are returns free?\r/context\r"), "› /context")
    assert set(shown[0]) == set("█▒░")
    assert len(shown[0]) == 60
    assert shown[1].endswith(" + 160 for the reply of 400 tokens")
    assert "retrieved (1)" in shown
    assert "  Returns (returns.md)" in shown
    assert '  you: "Are returns free?"' in shown


def test_context_names_what_was_left_out(start):
    talk = start([f"{'long answer ' * 20}{n}" for n in range(3)], overrides=["prompt.limit_tokens=300"])
    shown = talk("first question\rsecond question\rthird question\r/context\r")
    assert "left out (/context)" in shown
    dropped = below(shown, "› /context")
    at = next(n for n, line in enumerate(dropped) if line.startswith("dropped ("))
    assert dropped[at + 1] == '  you: "first question"'


def test_context_before_the_first_turn_says_so(start):
    assert "nothing has been answered yet" in start()("/context\r")


def test_why_draws_shares_as_bars_largest_first(start):
    talk = start(["Free."])
    real = talk.agent.stream

    def explained(text, **options):
        *_, finished = real(text, **options)
        said = talk.agent.history("c-1").turns()[-1].user_id
        shares = (
            Attribution(segment="system", kind="instruction", share=0.25),
            Attribution(segment=said, kind="turn", share=0.5),
        )
        reply = finished.reply.model_copy(update={"attribution": shares})
        return EventStream(lambda _: iter([Finished(reply=reply)]))

    talk.agent.stream = explained
    shown = below(talk("Are returns free?\r/why\r", conversation_id="c-1"), "› /why")
    assert shown == [
        f' 50.0% {"█" * 20} you: "Are returns free?"',
        f" 25.0% {'█' * 10}{' ' * 10} system",
    ]


def test_why_explains_a_reply_that_came_without_shares(start):
    talk = start(["Yes."])
    assert "100.0% " in below(talk("go\r/why\r", conversation_id="c-1"), "› /why")[0]


def test_a_decoder_is_chosen_for_this_conversation(start):
    talk = start(["Yes."])
    chosen = []
    talk.agent.use_decoder = lambda folder, conversation_id: chosen.append((folder, conversation_id))
    shown = talk("/decoder tuned/客服\r/decoder off\r", conversation_id="c-1")
    assert chosen == [("tuned/客服", "c-1"), (None, "c-1")]
    assert "Answers come through tuned/客服." in shown
    assert "The model answers alone." in shown


def test_a_model_without_decoders_says_so(start):
    assert "takes no instruction decoders" in start(["Yes."])("/decoder tuned\r")


def test_an_adapter_is_chosen_for_this_conversation(start):
    talk = start(["Yes."])
    chosen = []
    talk.agent.use_adapter = lambda name, conversation_id: chosen.append((name, conversation_id))
    shown = talk("/adapter 退款\r/adapter off\r", conversation_id="c-1")
    assert chosen == [("退款", "c-1"), (None, "c-1")]
    assert "Answers come through 退款." in shown
    assert "No adapter is used." in shown


def test_a_model_without_adapters_says_so(start):
    assert "takes no adapters" in start(["Yes."])("/adapter refunds\r")
    assert "needs a name" in start(["Yes."])("/adapter\r")


def test_why_with_nothing_to_attribute_says_so(start):
    talk = start(["Yes."])
    talk.agent.explain = lambda conversation_id: ()
    assert "Nothing to attribute: the reply is generated." in talk("go\r/why\r")


def test_sources_shows_what_was_found_when_nothing_is_cited(start):
    weather = passage("It rains in spring.", title="Weather", source="weather.md")
    talk = start(model=ScriptedModel(["Hello."]), retriever=FixedRetriever([weather], confidence=0.2))
    talk.agent.stream = _without_citations(talk.agent.stream)
    shown = below(talk("Tell me something\r/sources\r"), "› /sources")
    assert shown[0] == "The last reply cites nothing; this is what was found:"
    assert "Weather  weather.md" in shown[1]


def _without_citations(real):
    def stream(text, **options):
        *events, finished = real(text, **options)
        bare = finished.reply.model_copy(update={"citations": ()})
        return EventStream(lambda _: iter([*events, Finished(reply=bare)]))

    return stream


def test_undo_and_redo_move_the_head(start):
    talk = start(["One.", "Two."])
    shown = talk("first\rsecond\r/undo\r/undo\r/redo\r", conversation_id="c-1")
    assert turns(talk) == [("first", "One.")]
    assert "at the beginning of the conversation" in shown
    assert below(shown, "› /redo") == ["at turn 1:", "  1 › first", "      One."]


def test_edit_answers_other_words_on_a_new_branch(start):
    talk = start(["One.", "Two.", "Three."])
    shown = talk("first\rsecond\r/edit 1 begin anew\r/tree\r/switch 1\r", conversation_id="c-1")
    assert "› /edit 1 begin anew\nThree." in shown
    tree = below(shown, "› /tree")
    assert tree[0].startswith("   1 ")
    assert '2 turns  "second" Two.' in tree[0]
    assert tree[1].startswith("→  2 ")
    assert turns(talk) == [("first", "One."), ("second", "Two.")]


def test_edit_without_words_brings_the_old_ones_back(start):
    talk = start(["One.", "Two."])
    talk("first\r/edit 1\r again\r", conversation_id="c-1")
    assert turns(talk) == [("first again", "Two.")]


@pytest.mark.parametrize("argument", ["", "0", "2", "x", "٣"])
def test_edit_needs_a_turn_that_exists(start, argument):
    assert "/edit needs a turn from 1 to 1" in start()(f"first\r/edit {argument}\r")


def test_retry_answers_again(start):
    talk = start(["One.", "Two."])
    talk("first\r/retry\r", conversation_id="c-1")
    assert turns(talk) == [("first", "Two.")]


def test_fork_goes_on_in_a_copy(start):
    talk = start(["One.", "Two."])
    talk("first\r/fork c-2\rsecond\r", conversation_id="c-1")
    assert turns(talk, "c-1") == [("first", "One.")]
    assert turns(talk, "c-2") == [("first", "One."), ("second", "Two.")]


def test_fork_into_a_taken_id_is_refused_and_nothing_moves(start):
    talk = start()
    shown = talk("first\r/new c-2\rsecond\r/fork c-1\rthird\r", conversation_id="c-1")
    assert "'c-1' already exists" in shown
    assert [user for user, _ in turns(talk, "c-2")] == ["second", "third"]


def test_resume_lists_conversations_and_takes_a_number(start):
    talk = start()
    talk("about parcels\r", conversation_id="c-1")
    shown = talk("about refunds\r/resume\r/resume 2\rmore\r", conversation_id="c-2")
    assert "about parcels" in "\n".join(below(shown, "› /resume"))
    assert [user for user, _ in turns(talk, "c-1")] == ["about parcels", "more"]


def test_resuming_what_does_not_exist_changes_nothing(start):
    talk = start()
    shown = talk("/resume c-9\rhello\r", conversation_id="c-1")
    assert "there is no conversation 'c-9'" in shown
    assert [user for user, _ in turns(talk, "c-1")] == ["hello"]


@pytest.mark.parametrize("hostile", ["../../x", "a\\b", "客服", "é", "x" * 10_000])
def test_any_conversation_id_is_only_a_name(start, hostile, tmp_path):
    talk = start()
    talk(f"/new {hostile}\rhello\r/save\r" if len(hostile) < 100 else "hello\r", conversation_id=hostile)
    assert [user for user, _ in turns(talk, hostile)] == ["hello"]
    assert [path.parent for path in tmp_path.rglob("*.record.jsonl")] == [tmp_path] * (len(hostile) < 100)


def test_instructions_are_added_shown_and_dropped(start):
    talk = start()
    shown = talk(
        "/instructions add 总是用中文回答\r/instructions drop 1\r/instructions\r", conversation_id="c-1"
    )
    assert "总是用中文回答" in "".join(shown.split("› /instructions drop 1")[0].split())
    assert talk.agent.state("c-1").instructions == ()
    assert len(below(shown, "› /instructions")) == 2


def test_a_wish_that_lost_is_shown_with_the_winner(start):
    talk = start()
    talk.agent.instruct("c-1", "Answer in English.", topic="language")
    talk.agent.instruct("c-1", "Answer in Chinese.", topic="language", priority=5)
    shown = talk("/instructions\r", conversation_id="c-1")
    assert "Answer in Chinese.  (wish, conversation, priority 5)" in shown
    assert "  - Answer in English." in shown


def test_learned_choices_are_shown_with_the_stack_and_reset(start):
    declared = 'instructions.choices={tone=[{en="Be formal.", zh="语气请正式。"}]}'
    talk = start(["Three days.", "Four."], overrides=[declared])
    shown = talk("How long?\r/rate good\rreally?\r/instructions\r", conversation_id="c-1")
    stack = shown.split("› /instructions")[1]
    assert "Be formal.  (feedback, deployment, priority 0)" in stack
    assert "→ 100%  Be formal. / 语气请正式。" in stack
    assert "(1 rating, mean 0.67)" in stack


def test_a_choice_is_reset_by_name(start):
    talk = start(["Three days."], overrides=['instructions.choices={tone=["Be formal."]}'])
    shown = talk("How long?\r/rate good\r/instructions reset tone\r/instructions reset x\r")
    assert "(0 ratings, mean 0.50)" in shown
    assert "there is no choice 'x'" in shown


def test_rate_is_recorded_with_reason_and_wording(start):
    talk = start(["Maybe."])
    shown = talk("first\r/rate bad too vague => It is free.\r", conversation_id="c-1")
    assert "rated -1.0, your wording is kept" in shown
    (rating,) = talk.agent.state("c-1").ratings.values()
    assert (rating.score, rating.reason, rating.better) == (-1.0, "too vague", "It is free.")


@pytest.mark.parametrize("score", ["", "great", "2", "nan", "-1.5"])
def test_rate_needs_a_score(start, score):
    assert "/rate needs good, bad or a number" in start()(f"first\r/rate {score}\r")


def test_skill_gives_the_conversation_to_one_skill_and_back(start):
    talk = start()
    shown = talk("/skill answer\r/skill\r/skill auto\r/skill nope\r", conversation_id="c-1")
    assert below(shown, "› /skill")[0].startswith("skill: answer;")
    assert "there is no skill 'nope'" in shown
    assert talk.agent.state("c-1").skill is None


def test_set_changes_sampling_for_the_turns_that_follow(start):
    model = ScriptedModel(["One.", "Two."])
    shown = start(model=model)("first\r/set sampling.max_tokens=7\rsecond\r/set sampling.max_tokens\r")
    assert [sampling.max_tokens for sampling in model.samplings] == [160, 7]
    assert "sampling.max_tokens = 7 (/set)" in shown


def test_set_changes_other_keys_by_opening_the_agent_anew(start):
    model = ScriptedModel(["One.", "Two."])
    talk = start(model=model)
    talk("first\r/set prompt.system=Speak like a pirate.\rsecond\r", conversation_id="c-1")
    assert "pirate" not in model.prompts[0].text
    assert "Speak like a pirate." in model.prompts[1].text
    assert turns(talk) == [("first", "One."), ("second", "Two.")]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("sampling.temperatur=1", "did you mean sampling.temperature?"),
        ("promt.system=x", "did you mean prompt?"),
        ("sampling.temperature=9", "less than or equal to 5"),
        ("prompt.limit_tokens=few", "valid integer"),
        ("nonsense", "not of the form section.key=value"),
    ],
)
def test_set_refuses_what_it_does_not_know(start, typed, told):
    assert told in " ".join(start()(f"/set {typed}\r").split())


def test_model_says_which_one_answers(start):
    assert "scripted · 0M parameters · 8192 tokens · writes en, zh" in start()("/model\r")


@pytest.mark.slow
def test_a_model_that_cannot_be_had_leaves_the_one_before(start):
    talk = start(["Still here."])
    shown = talk("/model /no/such/folder\rhello\r")
    assert "Still here." in shown


def test_export_writes_a_transcript(start, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    talk = start(["三天。"])
    talk("多久？\r/export out.jsonl\r/export out.md\r", conversation_id="c-1")
    assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8")) == {
        "id": "c-1",
        "messages": [{"role": "user", "content": "多久？"}, {"role": "assistant", "content": "三天。"}],
    }
    assert "> 多久？\n\n三天。" in (tmp_path / "out.md").read_text(encoding="utf-8")


def test_no_file_is_written_over(start, tmp_path):
    (tmp_path / "mine.md").write_text("precious")
    shown = start()(f"hello\r/export {tmp_path}/mine.md\r")
    assert "exists; name another file" in " ".join(shown.split())
    assert (tmp_path / "mine.md").read_text() == "precious"


def test_a_saved_record_is_loaded_with_all_its_branches(start, tmp_path):
    talk = start(["One.", "Two.", "Three."])
    talk(f"first\rsecond\r/edit 1 other\r/save {tmp_path}/r.jsonl\r", conversation_id="c-1")
    shown = talk(f"/load {tmp_path}/r.jsonl\r/tree\r")
    new = shown.split("you are in ")[-1].split(" now")[0]
    assert new != "c-1"
    assert talk.agent.history(new).entries() == talk.agent.history("c-1").entries()
    assert turns(talk, new) == [("other", "Three.")]
    assert len(talk.agent.history(new).tips()) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\xff\xfe\x00", b"[" * 100_000, b'{"format": "x"}', b'{"messages": []}'],
    ids=["empty", "words", "binary", "deep", "other", "transcript"],
)
def test_a_file_that_is_no_record_is_refused(start, tmp_path, content):
    (tmp_path / "r.jsonl").write_bytes(content)
    talk = start()
    shown = " ".join(talk(f"/load {tmp_path}/r.jsonl\r", conversation_id="c-1").split())
    assert "r.jsonl" in shown
    assert "failed" not in shown
    assert "you are in" not in shown


def test_a_damaged_line_of_a_record_is_named(start, tmp_path):
    talk = start(["One."])
    talk(f"first\r/save {tmp_path}/r.jsonl\r", conversation_id="c-1")
    path = tmp_path / "r.jsonl"
    path.write_text(path.read_text().replace('"kind":"replied"', '"kind":"shouted"'))
    assert "r.jsonl:3:" in "".join(talk(f"/load {path}\r").split())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a folder that refuses")
def test_a_folder_that_cannot_be_written_is_told(start, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    assert "cannot write" in start()(f"hello\r/export {tmp_path}/shut/x.md\r")


def test_history_shows_the_last_turns(start):
    shown = below(start(["One.", "Two."])("first\rsecond\r/history 1\r"), "› /history 1")
    assert shown == ["  2 › second", "      Two."]


def test_clear_empties_the_screen_and_keeps_the_conversation(start):
    talk = start(["One."])
    talk("first\r/clear\r", conversation_id="c-1")
    assert "first" not in "\n".join(talk.terminal.screen.display)
    assert turns(talk) == [("first", "One.")]


@pytest.mark.parametrize("word", ["/exit", "/quit", "/bye", "/EXIT"])
def test_exit_leaves(start, word):
    talk = start()
    talk(f"{word}\rnever said\r", conversation_id="c-1")
    assert turns(talk) == []


def test_titles_and_names_from_outside_cannot_steer_the_terminal(start):
    evil = passage("Free.\x1b]52;c;x\x07", title="T\x1b[2J\u202e", source="s\x9b1m.md")
    talk = start(retriever=FixedRetriever([evil]), model=ScriptedModel(["Free."]))
    talk("free?\x16\x1b\r/sources\r/context\r/history\r")
    assert "]52" not in talk.terminal.raw
    assert "\u202e" not in talk.terminal.raw
    assert "\x9b" not in talk.terminal.raw


class Canceller:
    """Asks to cancel whatever order is named."""

    spec = SkillSpec(name="answer", description="cancels")

    def matches(self, turn):
        return 1.0

    def run(self, turn):
        if "MK-" in turn.text:
            number = turn.text.partition("MK-")[2][:5]
            yield ActionProposed(name="cancel_order", arguments={"order_no": number}, reason=turn.text)
        yield from turn.answer()


class Cancel(BaseModel):
    order_no: str


@pytest.fixture
def cancelling(start):
    """A talk whose agent may cancel orders; `talk.cancelled` has those it did."""
    talk = start(rows=60)
    cancelled = []
    action = Action("cancel_order", "", Cancel, lambda arguments, _: cancelled.append(arguments.order_no))
    talk.agent = DialogAgent(
        talk.agent.config, model=ScriptedModel(["Yes."] * 9), skills=[Canceller()], actions=[action]
    )
    talk.cancelled = cancelled
    with talk.agent:
        yield talk


def test_a_proposed_action_is_told_listed_and_done_once_it_is_approved(cancelling):
    shown = cancelling("cancel MK-10482\r/actions\r/approve 1\r/actions\r", conversation_id="c-1")
    assert "note: waits for your approval: cancel_order(order_no='10482') (/actions)" in shown
    assert "1 action waiting; /approve N or /reject N" in shown
    assert below(shown, "› /approve 1") == ["cancel_order: done"]
    assert "no action waits for a decision" in shown
    assert cancelling.cancelled == ["10482"]


def test_a_rejected_action_is_not_done(cancelling):
    shown = cancelling("请取消 MK-10517\r/reject 1 已发货\r/approve 1\r", conversation_id="c-1")
    assert below(shown, "› /reject 1 已发货") == ["cancel_order: rejected"]
    assert "is rejected already" in shown
    assert cancelling.cancelled == []


def test_approve_needs_to_know_which(cancelling):
    shown = cancelling("/approve\r/approve 7\r")
    assert "which one? /actions lists them with numbers" in shown
    assert "no action '7' was proposed" in shown


def test_an_agent_with_other_settings_keeps_the_actions(cancelling):
    with Reopened(cancelling.agent) as reopened:
        other = reopened.open(cancelling.agent.config.changed(["prompt.system=Be brief."]))
        assert list(other.actions) == ["cancel_order"]
