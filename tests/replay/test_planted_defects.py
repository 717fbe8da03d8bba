"""With the real check of facts: planted defects are failures of their kind at their turn, zh and en."""

import pytest

from tests.replay.conftest import report, talk

pytest.importorskip("dialog.metrics.facts", reason="the check of facts is not there yet")

TALK_EN = (
    ("Where is my order?", "Order MK-10482 left our warehouse."),
    ("Can I return it?", "Yes, you can return it."),
    ("What did I pay?", "You paid 199 USD."),
    ("When does it come?", "It arrives on 5 March 2026."),
)
TALK_ZH = (
    ("我的订单在哪？", "订单 MK-10482 已发货。"),
    ("可以退货吗？", "这件商品可以退货。"),
    ("我付了多少钱？", "您付了 199 元。"),
    ("什么时候到？", "2026年3月5日送达。"),
)
DEFECTS = {
    "identifier": ("10482", "10483", 0),
    "negation": ("you can|可以", "you cannot|不可以", 1),
    "money": ("199", "1990", 2),
    "date": ("5 March|3月5日", "6 March|3月6日", 3),
}


@pytest.fixture(autouse=True)
def _tiny_metrics():
    """The real metrics instead."""


@pytest.mark.parametrize(("id", "exchanges"), [("en", TALK_EN), ("zh", TALK_ZH)])
@pytest.mark.parametrize("kind", list(DEFECTS))
def test_a_planted_defect_is_flagged_at_its_turn(command, transcripts, bot, tmp_path, id, exchanges, kind):
    right, wrong, turn = DEFECTS[kind]
    answers = [answer for _, answer in exchanges]
    for one, other in zip(right.split("|"), wrong.split("|"), strict=True):
        answers[turn] = answers[turn].replace(one, other)
    assert answers[turn] != exchanges[turn][1]
    agent = bot("a", f"text = {answers!r}[turn['turn']]")
    result = command("replay", transcripts(talk(id, *exchanges)), "--agent", agent, "--report-dir", tmp_path)
    assert result.code == 0, result.err
    found = report(tmp_path)
    assert [(one["turn"], one["kind"]) for one in found["failures"]] == [(turn, kind)]
    assert found["metrics"]["success"]["a"] == 0.0


@pytest.mark.parametrize(
    ("opening", "right", "wrong"),
    [
        ("我的包裹在哪？", "已经发货了。", "It was shipped."),
        ("Where is my parcel?", "It was shipped.", "已经发货了。"),
    ],
    ids=["zh", "en"],
)
def test_an_order_number_alone_is_to_be_answered_in_the_language_of_its_user(
    command, transcripts, bot, tmp_path, opening, right, wrong
):
    line = talk("c", (opening, right), ("MK 20481", right))
    kinds = []
    for name, reply in (("right", right), ("wrong", wrong)):
        agent = bot(name, f"text = [{right!r}, {reply!r}][turn['turn']]")
        command("replay", transcripts(line), "--agent", agent, "--report-dir", tmp_path / name)
        kinds.append([(one["turn"], one["kind"]) for one in report(tmp_path / name)["failures"]])
    assert kinds == [[], [(1, "language")]]
