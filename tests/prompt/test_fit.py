"""What a prompt leaves out when it is too long, and that it says so."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.errors import PromptTooLong
from dialog.prompt.budget import LISTED_TURNS
from dialog.values import Turn
from tests.prompt.conversations import BRIEF, Counted, back, passage, rendered, turn


def shown(fit_refs: tuple[str, ...]) -> list[str]:
    return [ref for ref in fit_refs if ref.startswith("u-") and ref != "u-new"]


def test_nothing_is_dropped_where_all_fits() -> None:
    fit = rendered(turns=back(3), passages=[passage(1)]).prompt.fit
    assert fit.kept == ("i-brief", "u-0", "r-0", "u-1", "r-1", "u-2", "r-2", "u-new")
    assert fit.retrieved == ("p-1",)
    assert (fit.dropped, fit.summarised, fit.unlisted_turns) == ((), (), 0)


def test_the_oldest_turn_is_dropped_first_and_whole() -> None:
    whole = rendered(turns=back(3)).prompt.fit.used_tokens
    fit = rendered(turns=back(3), limit_tokens=whole + 20 - 1).prompt.fit
    assert fit.dropped == ("u-0", "r-0")
    assert fit.kept == ("i-brief", "u-1", "r-1", "u-2", "r-2", "u-new")


def test_a_prompt_that_just_fits_is_whole() -> None:
    whole = rendered(turns=back(3)).prompt.fit.used_tokens
    assert rendered(turns=back(3), limit_tokens=whole + 20).prompt.fit.dropped == ()


def test_used_tokens_are_those_of_the_rendered_prompt() -> None:
    prompt = rendered(turns=back(30), limit_tokens=300).prompt
    assert prompt.fit.used_tokens == len(prompt.ids)
    assert prompt.fit.used_tokens + prompt.fit.reserved_tokens <= 300


def test_turns_go_before_passages_and_the_best_passage_last() -> None:
    found = [passage(1, "a " * 60), passage(2, "b " * 60), passage(3, "c " * 60)]
    fit = rendered(turns=back(2), passages=found, limit_tokens=200).prompt.fit
    assert fit.retrieved == ("p-1", "p-2")
    assert fit.dropped == ("u-0", "r-0", "u-1", "r-1", "p-3")


def test_memory_goes_after_the_passages() -> None:
    found = [passage(1), passage(2)]
    assert rendered(memory="x " * 40, passages=found, limit_tokens=110).prompt.fit.dropped == ("p-1", "p-2")
    assert rendered(memory="x " * 60, passages=found, limit_tokens=110).prompt.fit.dropped == (
        "p-1",
        "p-2",
        "memory",
    )


def test_a_memory_that_could_never_fit_costs_no_passage() -> None:
    fit = rendered(memory="x " * 200, passages=[passage(1)], limit_tokens=120).prompt.fit
    assert (fit.retrieved, fit.dropped) == (("p-1",), ("memory",))


def test_what_must_stay_but_does_not_fit_is_an_error() -> None:
    with pytest.raises(PromptTooLong) as caught:
        rendered(user="word " * 200, limit_tokens=100, passages=[passage(1)])
    alone = rendered(user="word " * 200).prompt.fit.used_tokens
    assert (caught.value.needed, caught.value.limit) == (alone + 20, 100)


def test_instructions_are_never_dropped() -> None:
    long = BRIEF.model_copy(update={"text": "rule " * 200})
    with pytest.raises(PromptTooLong):
        rendered(instructions=[long], limit_tokens=150)


def test_the_reserve_is_never_used() -> None:
    needed = rendered().prompt.fit.used_tokens
    with pytest.raises(PromptTooLong):
        rendered(limit_tokens=needed + 19, reserve_tokens=20)
    assert rendered(limit_tokens=needed + 20, reserve_tokens=20).prompt.fit.reserved_tokens == 20


def test_with_error_nothing_may_be_left_out() -> None:
    whole = rendered(turns=back(3)).prompt.fit.used_tokens
    with pytest.raises(PromptTooLong) as caught:
        rendered(turns=back(3), limit_tokens=whole + 19, on_overflow="error")
    assert caught.value.limit == whole + 19
    assert caught.value.needed == whole + 20
    rendered(turns=back(3), limit_tokens=whole + 20, on_overflow="error")


def test_a_huge_turn_in_the_past_ends_the_history_there() -> None:
    turns = [turn(2), turn(1, words=20_000), turn(0)]
    fit = rendered(turns=turns, limit_tokens=400).prompt.fit
    assert fit.kept == ("i-brief", "u-2", "r-2", "u-new")
    assert fit.dropped == ("u-0", "r-0", "u-1", "r-1")


def test_a_long_history_is_read_no_further_than_needed() -> None:
    turns = Counted(back(10_000))
    fit = rendered(turns=turns, limit_tokens=500).prompt.fit
    num_shown, num_named = len(shown(fit.kept)), len(shown(fit.dropped))
    assert turns.num_read == num_shown + num_named <= num_shown + LISTED_TURNS
    assert fit.unlisted_turns == 10_000 - turns.num_read


def test_ten_thousand_turns_cost_what_two_hundred_do() -> None:
    def cost(history: list[Turn]) -> float:
        started = time.process_time()
        rendered(turns=history, limit_tokens=500)
        return time.process_time() - started

    short, long = back(200), back(10_000)
    times = [(cost(short), cost(long)) for _ in range(30)]
    assert min(after for _, after in times) < 1.5 * min(before for before, _ in times)


def test_the_cut_stays_put_while_the_conversation_grows() -> None:
    """Else every turn would invalidate the model's cache of the whole prompt."""
    cuts = [shown(rendered(turns=back(n), limit_tokens=500).prompt.fit.kept)[0] for n in range(40, 56)]
    assert len(set(cuts)) <= 5


def test_the_cut_costs_at_most_a_quarter_of_the_turns_that_fit() -> None:
    most = max(len(shown(rendered(turns=back(n), limit_tokens=500).prompt.fit.kept)) for n in range(40, 56))
    least = min(len(shown(rendered(turns=back(n), limit_tokens=500).prompt.fit.kept)) for n in range(40, 56))
    assert least >= 0.75 * most


@pytest.mark.parametrize(
    "user", ["客" * 3_000_000, "e" + "\u0301" * 1_000_000, "a" * 10_000_000], ids=["han", "marks", "word"]
)
def test_a_huge_message_is_refused_quickly(user: str) -> None:
    started = time.process_time()
    with pytest.raises(PromptTooLong) as caught:
        rendered(user=user, limit_tokens=4096)
    assert time.process_time() - started < 1
    assert caught.value.needed > 4096


word_counts = st.integers(min_value=0, max_value=40)
histories = st.lists(st.tuples(word_counts, st.booleans()), max_size=25)


@settings(max_examples=150, deadline=None)
@given(
    said=histories,
    passage_words=st.lists(word_counts, max_size=5),
    room=st.integers(min_value=60, max_value=900),
    policy=st.sampled_from(["drop_oldest", "summarise"]),
)
def test_every_part_is_accounted_for_exactly_once(
    said: list[tuple[int, bool]], passage_words: list[int], room: int, policy: str
) -> None:
    turns = [turn(i, words=n, reply=None if silent else "") for i, (n, silent) in enumerate(said)]
    found = [passage(i, "w " * n) for i, n in enumerate(passage_words, start=1)]
    result = rendered(
        turns=reversed(turns),
        passages=found,
        limit_tokens=room,
        on_overflow=policy,  # type: ignore[arg-type]
    )
    fit = result.prompt.fit
    told = [*fit.kept, *fit.dropped, *fit.summarised, *fit.retrieved]
    refs = [ref for one in turns for ref in (one.user_id, one.reply_id) if ref]
    made = [result.summary.id] if result.summary is not None and result.summary.text else []
    assert sorted(told) == sorted(["i-brief", "u-new", *made, *refs, *(one.id for one in found)])
    assert fit.used_tokens == len(result.prompt.ids) <= room - 20
    kept = shown(fit.kept)
    assert kept == [one.user_id for one in turns][len(turns) - len(kept) :]
    assert fit.retrieved == tuple(one.id for one in found)[: len(fit.retrieved)]
    named = {one.ref for one in result.prompt.segments if one.ref}
    assert named == {*fit.kept, *fit.retrieved}
