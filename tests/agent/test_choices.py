"""Instruction variants: picked by what ratings said, shown, recorded, shared, reset."""

from pathlib import Path

import pytest

from dialog import DialogAgent
from dialog.entries import InstructionSet, Rated
from dialog.errors import ConfigError, StoreError
from dialog.instructions import resolve
from dialog.learning import MAX_COUNTED, Remembered
from dialog.store import open_store
from dialog.testing import FixedRetriever, ScriptedModel, passage
from tests.agent.conftest import MakeAgent

LENGTH = 'instructions.choices={length=["Answer in one sentence.", "Answer and give the reason."]}'
TONE = (
    'instructions.choices={tone=[{en="Be formal.", zh="语气请正式。"}, {en="Be warm.", zh="语气请亲切。"}]}'
)


def told(agent: DialogAgent, conversation_id: str) -> list[str]:
    """What the deployment's choices tell the agent now."""
    active = resolve(agent.state(conversation_id).instructions).active
    return [one.text for one in active if one.scope == "deployment"]


def learned(agent: DialogAgent) -> dict[str, tuple[int, float]]:
    """Ratings and share by variant, of the only choice."""
    (choice,) = agent.choices()
    return {one.text: (one.num_ratings, one.share) for one in choice.variants}


def picks(agent: DialogAgent, conversation_id: str) -> list[tuple[str, bool]]:
    entries = agent.history(conversation_id).entries()
    return [(e.instruction.text, e.active) for e in entries if isinstance(e, InstructionSet)]


def test_without_variants_nothing_is_recorded_or_kept(make_agent: MakeAgent) -> None:
    agent = make_agent()
    agent.reply("How long does it take?", conversation_id="c")
    agent.rate("c", 1.0)
    assert [e.kind for e in agent.history("c").path()] == ["user_said", "replied", "rated"]
    assert agent.choices() == ()


def test_one_variant_is_told_and_stands_from_turn_to_turn(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["Three days."] * 3)
    agent = make_agent(model, overrides=[LENGTH])
    for text in ("How long does it take?", "And to Norway?", "And to Japan?"):
        agent.reply(text, conversation_id="c")
    (variant,) = told(agent, "c")
    assert variant in ("Answer in one sentence.", "Answer and give the reason.")
    assert [prompt.text.count(variant) for prompt in model.prompts] == [1, 1, 1]
    assert picks(agent, "c") == [(variant, True)]


def test_the_variant_is_a_segment_of_its_own_between_the_system_and_the_wishes(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.reply("Please answer in English. How long does it take?", conversation_id="c")
    refs = [one.ref for one in agent.preview("c", "And then?").segments if one.kind == "instruction"]
    system, variant, wish = refs
    assert (system, wish) == ("system", "wish:language")
    assert variant.startswith("choice:length:")


@pytest.mark.parametrize(
    ("text", "variants"),
    [
        ("How long does it take?", ("Be formal.", "Be warm.")),
        ("需要多长时间？", ("语气请正式。", "语气请亲切。")),
        ("请用英文回答。需要多长时间？", ("Be formal.", "Be warm.")),
    ],
)
def test_a_variant_speaks_the_language_of_the_reply(
    make_agent: MakeAgent, text: str, variants: tuple[str, str]
) -> None:
    agent = make_agent(overrides=[TONE])
    agent.reply(text, conversation_id="c")
    (told_here,) = told(agent, "c")
    assert told_here in variants


def test_another_language_is_the_same_variant_in_other_words(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[TONE])
    agent.reply("How long does it take?", conversation_id="c")
    before = agent.state("c").instructions
    agent.reply("要多久？", conversation_id="c")
    agent.reply("12345", conversation_id="c")
    after = agent.state("c").instructions
    assert [one.id for one in before] == [one.id for one in after]
    assert {"Be formal.": "语气请正式。", "Be warm.": "语气请亲切。"}[before[0].text] == after[0].text


@pytest.mark.parametrize("text", ["How long does it take?", "需要多长时间？"])
def test_preview_is_what_the_turn_shows(make_agent: MakeAgent, text: str) -> None:
    for conversation_id in ("a", "b", "c", "客服"):
        model = ScriptedModel(["Three days."] * 2)
        agent = make_agent(model, overrides=[TONE])
        before = agent.preview(conversation_id, text)
        assert agent.history(conversation_id).num_entries == 0
        agent.reply(text, conversation_id=conversation_id)
        after = agent.preview(conversation_id)
        assert before.text == model.prompts[0].text == after.text


def test_retry_edit_and_undo_keep_the_variant(make_agent: MakeAgent) -> None:
    model = ScriptedModel(["Three days."] * 4)
    agent = make_agent(model, overrides=[LENGTH])
    agent.reply("How long does it take?", conversation_id="c")
    (variant,) = told(agent, "c")
    for _ in agent.retry("c"):
        pass
    for _ in agent.edit("c", 0, "How long does it take to Norway?"):
        pass
    agent.undo("c")
    agent.reply("How much is it?", conversation_id="c")
    assert all(variant in prompt.text for prompt in model.prompts)
    assert picks(agent, "c") == [(variant, True)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_ratings_move_the_share(make_agent: MakeAgent, language: str) -> None:
    text = {"en": "How long does it take?", "zh": "需要多长时间？"}[language]
    liked = {"en": "Be warm.", "zh": "语气请亲切。"}[language]
    agent = make_agent(ScriptedModel(["Three days."] * 30), overrides=[TONE])
    for number in range(30):
        agent.reply(text, conversation_id=str(number))
        agent.rate(str(number), 1.0 if told(agent, str(number)) == [liked] else -1.0)
    (choice,) = agent.choices()
    best = choice.variants[0]
    assert (best.text, choice.name) == ("Be warm. / 语气请亲切。", "tone")
    assert best.share > 0.95
    assert sum(one.num_ratings for one in choice.variants) == 30


def test_a_rated_variant_is_picked_anew(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    for _ in range(12):
        agent.reply("How long does it take?", conversation_id="c")
        agent.rate("c", -1.0)
    told_at_all = {text for text, active in picks(agent, "c") if active}
    assert told_at_all == {"Answer in one sentence.", "Answer and give the reason."}
    assert sum(number for number, _ in learned(agent).values()) == 12


def test_another_process_knows_what_was_learned(make_agent: MakeAgent) -> None:
    first, second = make_agent(overrides=[LENGTH]), make_agent(overrides=[LENGTH])
    assert second.choices() == first.choices()
    first.reply("How long does it take?", conversation_id="c")
    (variant,) = told(first, "c")
    first.rate("c", 1.0)
    assert second.choices() == first.choices()
    second.reply("And to Norway?", conversation_id="d")
    second.rate("d", -1.0)
    assert first.choices() == second.choices()
    assert learned(first)[variant][0] >= 1
    assert sum(number for number, _ in learned(first).values()) == 2


def test_a_rating_counts_once_however_often_it_is_counted(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.reply("How long does it take?", conversation_id="c")
    agent.rate("c", 1.0)
    before = agent.choices()
    agent.learning.count(agent.history("c"))
    agent.fork("c", "d")
    agent.learning.count(agent.history("d"))
    assert agent.choices() == before


def test_a_rating_that_a_crash_left_uncounted_is_counted_with_the_next_turn(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.reply("How long does it take?", conversation_id="c")

    def crash(*_: object) -> None:
        raise StoreError("the disk is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent.learning, "count", crash)
        with pytest.raises(StoreError):
            agent.rate("c", 1.0)
    assert sum(number for number, _ in learned(agent).values()) == 0
    assert len([e for e in agent.history("c").path() if isinstance(e, Rated)]) == 1
    agent.reply("And to Norway?", conversation_id="c")
    assert sum(number for number, _ in learned(agent).values()) == 1


def test_only_the_newest_ids_are_kept_and_older_ones_count_as_counted() -> None:
    full = Remembered(counted=tuple(f"{at:032x}" for at in range(100, 100 + MAX_COUNTED)))
    assert full.is_counted(f"{99:032x}")
    assert full.is_counted(f"{150:032x}")
    assert not full.is_counted(f"{1000:032x}")
    assert not Remembered(counted=(f"{100:032x}",)).is_counted(f"{99:032x}")


def test_writers_at_once_lose_no_rating(make_agent: MakeAgent) -> None:
    agent, other = make_agent(overrides=[LENGTH]), make_agent(overrides=[LENGTH])
    for conversation_id in ("c", "d"):
        agent.reply("How long does it take?", conversation_id=conversation_id)
    store, put = agent.store, agent.store.put_setting  # type: ignore[attr-defined]  # the SQL store has it

    def put_late(name: str, value: object, *, expected_version: int) -> object:
        store.put_setting = put  # type: ignore[attr-defined]
        other.rate("d", 1.0)
        return put(name, value, expected_version=expected_version)

    store.put_setting = put_late  # type: ignore[attr-defined]
    agent.rate("c", 1.0)
    assert sum(number for number, _ in learned(agent).values()) == 2


def test_a_reset_choice_has_learned_nothing_and_recounts_nothing(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.reply("How long does it take?", conversation_id="c")
    agent.rate("c", 1.0)
    agent.reset_choice("length")
    assert [number for number, _ in learned(agent).values()] == [0, 0]
    agent.reply("And to Norway?", conversation_id="c")
    agent.rate("c", 1.0)
    assert sum(number for number, _ in learned(agent).values()) == 1
    with pytest.raises(
        ValueError, match=r"there is no choice 'tone'; instructions\.choices declares: length"
    ):
        agent.reset_choice("tone")


@pytest.mark.parametrize(
    ("wish", "words"), [("Please keep it short.", "Keep answers short."), ("请简短回答。", "回答请简短。")]
)
def test_a_wish_on_the_topic_wins_and_its_ratings_teach_nothing(
    make_agent: MakeAgent, wish: str, words: str
) -> None:
    model = ScriptedModel(["Three days."])
    agent = make_agent(model, overrides=[LENGTH])
    agent.reply(wish, conversation_id="c")
    agent.reply("How long does it take?", conversation_id="c")
    stack = resolve(agent.state("c").instructions)
    assert [one.text for one in stack.active] == [words]
    (lost,) = stack.overridden
    assert lost.reason == "on length: for this conversation over for this deployment"
    assert lost.instruction.text not in model.prompts[0].text
    agent.rate("c", 1.0)
    assert [number for number, _ in learned(agent).values()] == [0, 0]


def test_a_withdrawn_wish_leaves_the_deployments_variant(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.reply("Please keep it short.", conversation_id="c")
    agent.reply("No need to keep it short.", conversation_id="c")
    (variant,) = told(agent, "c")
    assert [one.text for one in agent.state("c").instructions] == [variant]


@pytest.mark.parametrize(
    ("question", "draft", "knowledge"),
    [
        ("How much is the label?", "The label costs $60.", "The label costs $6."),
        ("运费是多少？", "运费为120元。", "运费为12元。"),
    ],
)
def test_a_withheld_draft_teaches_nothing(
    make_agent: MakeAgent, question: str, draft: str, knowledge: str
) -> None:
    agent = make_agent(ScriptedModel([draft]), FixedRetriever([passage(knowledge)]), overrides=[LENGTH])
    reply = agent.reply(question, conversation_id="c")
    assert reply.mode == "quoted"
    assert any(ref.startswith("choice:length:") for ref in reply.fit.kept)
    agent.rate("c", -1.0)
    assert [number for number, _ in learned(agent).values()] == [0, 0]


def test_variants_that_stay_keep_their_counts_and_removed_ones_leave_the_stack(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=['instructions.choices={length=["Be brief."]}'])
    agent.reply("How long does it take?", conversation_id="c")
    agent.rate("c", 1.0)
    agent.reply("And to Norway?", conversation_id="c")
    more = make_agent(overrides=['instructions.choices={length=["Be thorough.", "Be brief."]}'])
    assert {text: number for text, (number, _) in learned(more).items()} == {
        "Be thorough.": 0,
        "Be brief.": 1,
    }
    other = make_agent(overrides=['instructions.choices={length=["Be thorough."]}'])
    other.reply("And to Japan?", conversation_id="c")
    assert told(other, "c") == ["Be thorough."]
    assert {text: number for text, (number, _) in learned(more).items()}["Be brief."] == 1
    without = make_agent()
    without.reply("And to Chile?", conversation_id="c")
    assert without.state("c").instructions == ()


def test_nothing_is_picked_while_a_person_has_the_conversation(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.take("c", "Ms Wu")
    agent.reply("How long does it take?", conversation_id="c")
    assert agent.state("c").instructions == ()
    agent.resume("c")
    agent.reply("Hello again, how long?", conversation_id="c")
    assert len(told(agent, "c")) == 1


def test_the_deployments_variant_is_not_the_users_to_drop(make_agent: MakeAgent) -> None:
    agent = make_agent(overrides=[LENGTH])
    agent.reply("How long does it take?", conversation_id="c")
    (variant,) = agent.state("c").instructions
    with pytest.raises(ValueError, match="a wish on 'length' wins over it"):
        agent.drop_instruction("c", variant.id)


def test_damaged_counts_say_how_to_start_again(make_agent: MakeAgent, tmp_path: Path) -> None:
    agent = make_agent(overrides=[LENGTH, f"store.url='sqlite:///{tmp_path / 'kept.db'}'"])
    with open_store(f"sqlite:///{tmp_path / 'kept.db'}") as store:
        store.put_setting("choice:length", {"arms": 3}, expected_version=0)
    with pytest.raises(StoreError, match="instructrec choices --reset length"):
        agent.choices()
    agent.reset_choice("length")
    assert [number for number, _ in learned(agent).values()] == [0, 0]


def test_a_store_that_cannot_learn_is_refused_where_variants_are_declared(make_agent: MakeAgent) -> None:
    agent = make_agent(store=object(), overrides=[LENGTH])
    with pytest.raises(ConfigError, match="needs a store with get_setting"):
        agent.choices()


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("3", "give variants by topic"),
        ('{Tone=["a"]}', "'Tone' cannot name a choice"),
        ('{"语气"=["a"]}', "cannot name a choice"),
        ("{tone=[]}", "needs a list of 1 to 20 variants"),
        ('{tone=["a", " "]}', "a variant is a text or"),
        ('{tone=[{fr="a"}]}', "a variant is a text or"),
        ('{tone=["a", "a"]}', "the same variant twice"),
    ],
)
def test_a_bad_declaration_says_what_is_wrong(make_agent: MakeAgent, declared: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_agent(overrides=[f"instructions.choices={declared}"])
