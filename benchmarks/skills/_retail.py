"""What a retail customer's words come to: orders, items and variants of tau2's database, by rules.

Names of products and options are compared as names are; order ids exactly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from skills.support.tau2 import Database, Retail
from skills.support.tau2.database import Item, Order, User

Kind = Literal["cancel", "return", "exchange"]
_STATUS: Mapping[Kind, tuple[str, ...]] = {
    "cancel": ("pending",),
    "return": ("delivered",),
    "exchange": ("pending", "delivered"),
}
_ORDER_ID = re.compile(r"#?W\d{7}")
_EVERYTHING = re.compile(
    r"\b(?:everything|all (?:the |of |your |my )?(?:items|things|of it)|whole order|entire)\b", re.I
)


def customer(database: Database, who: str) -> User | None:
    """By an e-mail in the text, or by a name and a zip code that are both in it."""
    text = who.casefold()
    for user in database.users.values():
        has_name = user.name.first_name.casefold() in text and user.name.last_name.casefold() in text
        if user.email.casefold() in text or (has_name and user.address.zip in text):
            return user
    return None


def calls(database: Database, kind: Kind, user: User, request: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The tool calls that the request asks for."""
    for order in _orders(database, kind, user, request):
        if kind == "cancel":
            mistake = re.search(r"mistake|accident|wrong", request, re.I)
            reason = "ordered by mistake" if mistake else "no longer needed"
            yield "cancel_pending_order", {"order_id": order.order_id, "reason": reason}
            continue
        items = [item for item in order.items if _is_meant(item, request)] or (
            list(order.items) if _EVERYTHING.search(request) else []
        )
        payment = _payment(user, order, request)
        if kind == "return" and items:
            yield (
                "return_delivered_order_items",
                {
                    "order_id": order.order_id,
                    "item_ids": [one.item_id for one in items],
                    "payment_method_id": payment,
                },
            )
        pairs = [(item, new) for item in items if (new := _variant(database, item, request))]
        if kind == "exchange" and pairs:
            tool = (
                "modify_pending_order_items"
                if order.status == "pending"
                else "exchange_delivered_order_items"
            )
            arguments = {
                "order_id": order.order_id,
                "item_ids": [item.item_id for item, _ in pairs],
                "new_item_ids": [new for _, new in pairs],
                "payment_method_id": payment,
            }
            yield tool, arguments


def do(retail: Retail, database: Database, kind: Kind, arguments: Mapping[str, Any]) -> list[str]:
    """Make the calls; returns the tools used. Raises ValueError where nothing could be done."""
    user = customer(database, str(arguments["who"]))
    if user is None:
        raise ValueError("no such customer")
    used = []
    for name, given in calls(database, kind, user, str(arguments["request"])):
        retail.call(name, given)
        used.append(name)
    if not used:
        raise ValueError("nothing of the request was found in the customer's orders")
    return used


def _orders(database: Database, kind: Kind, user: User, request: str) -> list[Order]:
    own = [database.orders[key] for key in user.orders if database.orders[key].status in _STATUS[kind]]
    named = {f"#{one.removeprefix('#')}" for one in _ORDER_ID.findall(request)}
    if named:
        return [order for order in own if order.order_id in named]
    return [order for order in own if any(_is_meant(item, request) for item in order.items)]


def _is_meant(item: Item, request: str) -> bool:
    """Its name, or the last word of it where that is long enough, is in the request."""
    text, name = request.casefold(), item.name.casefold()
    return name in text or (len(name.split()[-1]) > 4 and name.split()[-1] in text)


def _variant(database: Database, item: Item, request: str) -> str | None:
    """The available variant that has most of the options asked for, else most of the old ones."""
    text = request.casefold()
    best: tuple[tuple[int, int], str] | None = None
    for variant in database.products[item.product_id].variants.values():
        if not variant.available or variant.item_id == item.item_id:
            continue
        changed = [key for key, value in variant.options.items() if value != item.options.get(key)]
        asked = sum(variant.options[key].casefold() in text for key in changed)
        kept = len(variant.options) - len(changed)
        if asked and (best is None or (asked, kept) > best[0]):
            best = ((asked, kept), variant.item_id)
    return best[1] if best else None


def _payment(user: User, order: Order, request: str) -> str:
    """The method named, where the customer has one such; else that of the order."""
    for source, named in (("gift_card", "gift card"), ("paypal", "paypal"), ("credit_card", "credit card")):
        own = [method.id for method in user.payment_methods.values() if method.source == source]
        if named in request.casefold() and own:
            return own[0]
    return order.payment_history[0].payment_method_id
