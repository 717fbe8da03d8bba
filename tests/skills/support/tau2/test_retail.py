"""The retail tools: on a shop of three orders, and on the published tasks where they are at hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import DATA
from skills.support.tau2 import Database, Retail, environment
from skills.support.tau2.arithmetic import calculated
from skills.support.tau2.environment import READING

HOME = {"address1": "1 Mill Rd", "address2": "", "city": "X", "country": "USA", "state": "NY", "zip": "10001"}
CARD, GIFT = "credit_card_1", "gift_card_1"


def item(item_id: str, price: float) -> dict[str, Any]:
    return {"name": "Mug", "product_id": "p1", "item_id": item_id, "price": price, "options": {}}


def order(order_id: str, status: str, method: str = CARD) -> dict[str, Any]:
    paid = {"transaction_type": "payment", "amount": 30.0, "payment_method_id": method}
    return {
        **{"order_id": order_id, "user_id": "ann", "address": HOME, "status": status, "fulfillments": []},
        "items": [item("i1", 10.0), item("i2", 20.0)],
        "payment_history": [paid],
    }


@pytest.fixture
def shop() -> Retail:
    variants = {
        name: {"item_id": name, "options": {}, "available": name != "i4", "price": price}
        for name, price in (("i1", 10.0), ("i2", 20.0), ("i3", 12.5), ("i4", 1.0), ("i5", 99.0))
    }
    other = {"j1": {"item_id": "j1", "options": {}, "available": True, "price": 5.0}}
    user = {
        **{"user_id": "ann", "name": {"first_name": "Ann", "last_name": "Lee"}, "address": HOME},
        **{"email": "ann@example.com", "orders": ["#W1", "#W2", "#W3"]},
        "payment_methods": {
            CARD: {"source": "credit_card", "id": CARD, "brand": "visa", "last_four": "1111"},
            GIFT: {"source": "gift_card", "id": GIFT, "balance": 40.0},
            "paypal_1": {"source": "paypal", "id": "paypal_1"},
        },
    }
    return Retail(
        Database.model_validate(
            {
                "products": {
                    "p1": {"name": "Mug", "product_id": "p1", "variants": variants},
                    "p2": {"name": "Pan", "product_id": "p2", "variants": other},
                },
                "users": {"ann": user},
                "orders": {
                    "#W1": order("#W1", "pending", GIFT),
                    "#W2": order("#W2", "delivered"),
                    "#W3": order("#W3", "pending"),
                },
            }
        )
    )


def state(shop: Retail) -> Any:
    return json.loads(json.dumps(shop.state()))


def balance(shop: Retail) -> float:
    found = state(shop)["users"]["ann"]["payment_methods"][GIFT]["balance"]
    assert isinstance(found, float)
    return found


def test_a_customer_is_found_by_mail_or_by_name_and_zip(shop: Retail) -> None:
    assert shop.call("find_user_id_by_email", {"email": "Ann@example.com"}) == "ann"
    found = shop.call("find_user_id_by_name_zip", {"first_name": "ann", "last_name": "LEE", "zip": "10001"})
    assert found == "ann"
    with pytest.raises(ValueError, match="no such user"):
        shop.call("find_user_id_by_name_zip", {"first_name": "Ann", "last_name": "Lee", "zip": "10002"})


def test_a_cancelled_order_is_refunded_at_once_to_a_gift_card(shop: Retail) -> None:
    shop.call("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
    cancelled = state(shop)["orders"]["#W1"]
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "no longer needed")
    assert [one["transaction_type"] for one in cancelled["payment_history"]] == ["payment", "refund"]
    assert balance(shop) == 70.0


def test_replaced_items_are_paid_by_their_difference(shop: Retail) -> None:
    wanted = {"order_id": "#W3", "item_ids": ["i1"], "new_item_ids": ["i3"], "payment_method_id": GIFT}
    shop.call("modify_pending_order_items", wanted)
    changed = state(shop)["orders"]["#W3"]
    assert [one["item_id"] for one in changed["items"]] == ["i3", "i2"]
    assert (changed["status"], changed["payment_history"][-1]["amount"]) == ("pending (items modified)", 2.5)
    assert balance(shop) == 37.5
    with pytest.raises(ValueError, match="not pending"):
        shop.call("modify_pending_order_items", wanted)


def test_an_exchange_is_noted_and_moves_no_money_yet(shop: Retail) -> None:
    wanted = {"order_id": "#W2", "item_ids": ["i2"], "new_item_ids": ["i1"], "payment_method_id": CARD}
    shop.call("exchange_delivered_order_items", wanted)
    changed = state(shop)["orders"]["#W2"]
    assert (changed["status"], changed["exchange_price_difference"]) == ("exchange requested", -10.0)
    assert [one["item_id"] for one in changed["items"]] == ["i1", "i2"]


def test_another_payment_takes_the_place_of_the_first(shop: Retail) -> None:
    shop.call("modify_pending_order_payment", {"order_id": "#W3", "payment_method_id": GIFT})
    history = state(shop)["orders"]["#W3"]["payment_history"]
    assert [(one["transaction_type"], one["payment_method_id"]) for one in history] == [
        ("payment", CARD),
        ("payment", GIFT),
        ("refund", CARD),
    ]
    assert balance(shop) == 10.0


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        (
            "cancel_pending_order",
            {"order_id": "#W2", "reason": "no longer needed"},
            "is delivered, not pending",
        ),
        ("cancel_pending_order", {"order_id": "#W1", "reason": "bored"}, "reason: Input should be"),
        ("cancel_pending_order", {"order_id": "W1", "reason": "no longer needed"}, "order ids begin with #"),
        (
            "return_delivered_order_items",
            {"order_id": "#W2", "item_ids": ["i1", "i1"], "payment_method_id": CARD},
            "has no item i1",
        ),
        (
            "return_delivered_order_items",
            {"order_id": "#W2", "item_ids": ["i1"], "payment_method_id": "paypal_1"},
            "original payment method or to a gift card",
        ),
        (
            "exchange_delivered_order_items",
            {"order_id": "#W2", "item_ids": ["i1"], "new_item_ids": ["j1"], "payment_method_id": CARD},
            "item j1 is no Mug",
        ),
        (
            "exchange_delivered_order_items",
            {"order_id": "#W2", "item_ids": ["i1"], "new_item_ids": ["i4"], "payment_method_id": CARD},
            "not available",
        ),
        (
            "modify_pending_order_items",
            {"order_id": "#W3", "item_ids": ["i1"], "new_item_ids": ["i5"], "payment_method_id": GIFT},
            "holds 40.00, 89.00 are needed",
        ),
        ("modify_pending_order_payment", {"order_id": "#W3", "payment_method_id": CARD}, "already"),
        ("delete_everything", {}, "there is no tool"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    shop: Retail, tool: str, arguments: dict[str, Any], reason: str
) -> None:
    before = state(shop)
    with pytest.raises(ValueError, match=reason):
        shop.call(tool, arguments)
    assert state(shop) == before


def test_sums_are_calculated_and_nothing_else_is() -> None:
    assert calculated("(3131.1 + 4777.75) * -2 / 4") == pytest.approx(-3954.425)
    for harmful in ("__import__('os')", "9**9**9", "1/0", "(" * 400, "True"):
        with pytest.raises(ValueError, match=r"calculate|deep"):
            calculated(harmful)


@pytest.mark.data
def test_the_expected_actions_of_every_task_can_be_done_and_change_what_they_should(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks_file = DATA / "tau2" / "retail" / "tasks_train.json"
    if not tasks_file.is_file():
        pytest.skip(f"no {tasks_file}")
    monkeypatch.setenv("INSTRUCTREC_DATA", str(DATA))
    tasks = json.loads(tasks_file.read_text(encoding="utf-8"))
    untouched = state(environment({}))
    refused = {}
    for task in tasks:
        shop = environment(task)
        touched = set()
        for action in task["evaluation_criteria"]["actions"]:
            name, arguments = action["name"], action["arguments"]
            try:
                shop.call(name, arguments)
            except ValueError as error:
                refused[task["id"], name] = str(error)
                continue
            if name not in READING:
                touched.add(arguments.get("order_id"))
        orders = state(shop)["orders"]
        changed = {key for key, one in orders.items() if one != untouched["orders"][key]}
        assert changed == touched - {None}, task["id"]
    # Some tasks look up what the customer remembers wrongly; one wants more than its gift card holds.
    changes = {key: why for key, why in refused.items() if key[1] not in READING}
    assert list(changes) == [("105", "exchange_delivered_order_items")]
    assert "holds 17.00, 21.10 are needed" in changes["105", "exchange_delivered_order_items"]
