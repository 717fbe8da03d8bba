"""Small questions about orders and payments that several tools ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import JsonValue

from dialog.values import Value
from skills.support.tau2.arguments import NewAddress
from skills.support.tau2.database import Address, Order, PaymentMethod


def positions(order: Order, item_ids: Sequence[str]) -> list[int]:
    """Where the items stand in the order, one position each. Raises ValueError if it has not so many."""
    left = Counter(item_ids) - Counter(item.item_id for item in order.items)
    if left:
        raise ValueError(f"order {order.order_id} has no item {', '.join(left)} (or not so many)")
    free = list(range(len(order.items)))
    found = []
    for item_id in item_ids:
        position = next(at for at in free if order.items[at].item_id == item_id)
        free.remove(position)
        found.append(position)
    return found


def check_balance(method: PaymentMethod, amount: float) -> None:
    if method.balance is not None and method.balance < amount:
        raise ValueError(f"{method.id} holds {method.balance:.2f}, {amount:.2f} are needed")


def address(wanted: NewAddress) -> Address:
    return Address(**{name: getattr(wanted, name) for name in Address.model_fields})


def plain(value: Value) -> dict[str, JsonValue]:
    return value.model_dump(mode="json", exclude_none=True)
