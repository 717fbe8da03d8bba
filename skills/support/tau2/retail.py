"""The tools of tau2's retail domain on a database of one's own.

    shop = Retail(load(path))
    shop.call("cancel_pending_order", {"order_id": "#W5199551", "reason": "no longer needed"})
    shop.state()

A tool refuses what cannot be: an unknown id, an order that is not in the state
for it, an item of another product, a gift card without the money. Whether the
customer was identified and agreed is the agent's business, not the tools'.
Source: the domain's `policy.md`, which says what each action does to an order.
Deviation: the status after a change of items is written `pending (items modified)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import JsonValue, ValidationError

from dialog.actions import problems_of
from dialog.values import Value
from skills.support.tau2 import arguments as given
from skills.support.tau2.arithmetic import calculated
from skills.support.tau2.database import Database, Item, Order, Payment, PaymentMethod, User, Variant
from skills.support.tau2.orders import address, check_balance, plain, positions


class Retail:
    """Implements the environments' protocol; the database given is never changed."""

    def __init__(self, database: Database) -> None:
        self._products = database.products
        self._users = dict(database.users)
        self._orders = dict(database.orders)

    def call(self, name: str, arguments: Mapping[str, Any]) -> JsonValue:
        """Do it. Raises ValueError that says what is wrong."""
        tool = TOOLS.get(name)
        if tool is None:
            raise ValueError(f"there is no tool {name!r}; there are {', '.join(TOOLS)}")
        try:
            valid = tool[0].model_validate(dict(arguments))
        except ValidationError as error:
            raise ValueError(f"{name}: {problems_of(error)}") from error
        return tool[2](self, valid)

    def state(self) -> JsonValue:
        """Users and orders; products never change."""
        return {
            "users": {key: plain(user) for key, user in self._users.items()},
            "orders": {key: plain(order) for key, order in self._orders.items()},
        }

    def find_by_email(self, wanted: given.ByEmail) -> JsonValue:
        return self._user_where(lambda user: user.email.casefold() == wanted.email.casefold())

    def find_by_name_and_zip(self, wanted: given.ByNameAndZip) -> JsonValue:
        name = (wanted.first_name.casefold(), wanted.last_name.casefold())
        return self._user_where(
            lambda user: (
                (user.name.first_name.casefold(), user.name.last_name.casefold()) == name
                and user.address.zip == wanted.zip
            )
        )

    def user_details(self, wanted: given.OfUser) -> JsonValue:
        return plain(self._user(wanted.user_id))

    def order_details(self, wanted: given.OfOrder) -> JsonValue:
        return plain(self._order(wanted.order_id))

    def product_details(self, wanted: given.OfProduct) -> JsonValue:
        product = self._products.get(wanted.product_id)
        if product is None:
            raise ValueError(f"there is no product {wanted.product_id!r}")
        return plain(product)

    def item_details(self, wanted: given.OfItem) -> JsonValue:
        return plain(self._variant(wanted.item_id)[1])

    def product_types(self, _: given.Nothing) -> JsonValue:
        return {
            product.name: key for key, product in sorted(self._products.items(), key=lambda one: one[1].name)
        }

    def calculate(self, wanted: given.Expression) -> JsonValue:
        return f"{calculated(wanted.expression):.2f}"

    def transfer(self, _: given.Summary) -> JsonValue:
        return "transferred"

    def cancel(self, wanted: given.Cancel) -> JsonValue:
        order = self._order_that_is("pending", wanted.order_id)
        refunds = tuple(
            payment.model_copy(update={"transaction_type": "refund"}) for payment in order.payment_history
        )
        for refund in refunds:
            self._credit(order.user_id, refund.payment_method_id, refund.amount)
        return self._changed(
            order,
            status="cancelled",
            cancel_reason=wanted.reason,
            payment_history=(*order.payment_history, *refunds),
        )

    def change_order_address(self, wanted: given.OrderAddress) -> JsonValue:
        order = self._order_that_is("pending", wanted.order_id)
        return self._changed(order, address=address(wanted))

    def change_user_address(self, wanted: given.UserAddress) -> JsonValue:
        user = self._user(wanted.user_id).model_copy(update={"address": address(wanted)})
        self._users[user.user_id] = user
        return plain(user)

    def change_payment(self, wanted: given.Payment) -> JsonValue:
        order = self._order_that_is("pending", wanted.order_id)
        if len(order.payment_history) != 1:
            raise ValueError(
                f"order {order.order_id} was not paid in one payment; its payment cannot be changed"
            )
        (before,) = order.payment_history
        method = self._method(order.user_id, wanted.payment_method_id)
        if method.id == before.payment_method_id:
            raise ValueError(f"order {order.order_id} was paid with {method.id} already")
        self._debit(order.user_id, method.id, before.amount)
        self._credit(order.user_id, before.payment_method_id, before.amount)
        paid = before.model_copy(update={"payment_method_id": method.id})
        refunded = before.model_copy(update={"transaction_type": "refund"})
        return self._changed(order, payment_history=(before, paid, refunded))

    def change_items(self, wanted: given.Replace) -> JsonValue:
        order = self._order_that_is("pending", wanted.order_id)
        replaced, difference = self._replaced(order, wanted)
        method = self._method(order.user_id, wanted.payment_method_id)
        if difference > 0:
            self._debit(order.user_id, method.id, difference)
        elif difference < 0:
            self._credit(order.user_id, method.id, -difference)
        settled = Payment(
            transaction_type="payment" if difference > 0 else "refund",
            amount=abs(difference),
            payment_method_id=method.id,
        )
        return self._changed(
            order,
            items=replaced,
            status="pending (items modified)",
            payment_history=(*order.payment_history, settled),
        )

    def return_items(self, wanted: given.Return) -> JsonValue:
        order = self._order_that_is("delivered", wanted.order_id)
        positions(order, wanted.item_ids)
        method = self._method(order.user_id, wanted.payment_method_id)
        if method.source != "gift_card" and method.id != order.payment_history[0].payment_method_id:
            raise ValueError("a refund goes to the original payment method or to a gift card")
        return self._changed(
            order,
            status="return requested",
            return_items=tuple(sorted(wanted.item_ids)),
            return_payment_method_id=method.id,
        )

    def exchange_items(self, wanted: given.Replace) -> JsonValue:
        order = self._order_that_is("delivered", wanted.order_id)
        _, difference = self._replaced(order, wanted)
        method = self._method(order.user_id, wanted.payment_method_id)
        check_balance(method, difference)
        return self._changed(
            order,
            status="exchange requested",
            exchange_items=tuple(sorted(wanted.item_ids)),
            exchange_new_items=tuple(sorted(wanted.new_item_ids)),
            exchange_payment_method_id=method.id,
            exchange_price_difference=difference,
        )

    def _user(self, user_id: str) -> User:
        if user_id not in self._users:
            raise ValueError(f"there is no user {user_id!r}")
        return self._users[user_id]

    def _user_where(self, fits: Callable[[User], bool]) -> str:
        found = next((user.user_id for user in self._users.values() if fits(user)), None)
        if found is None:
            raise ValueError("there is no such user")
        return found

    def _order(self, order_id: str) -> Order:
        if order_id not in self._orders:
            raise ValueError(f"there is no order {order_id!r}; order ids begin with #")
        return self._orders[order_id]

    def _order_that_is(self, status: str, order_id: str) -> Order:
        order = self._order(order_id)
        if order.status != status:
            raise ValueError(f"order {order_id} is {order.status}, not {status}")
        return order

    def _method(self, user_id: str, method_id: str) -> PaymentMethod:
        method = self._user(user_id).payment_methods.get(method_id)
        if method is None:
            raise ValueError(f"user {user_id} has no payment method {method_id!r}")
        return method

    def _variant(self, item_id: str) -> tuple[str, Variant]:
        """The id of its product, and the variant."""
        for key, product in self._products.items():
            if item_id in product.variants:
                return key, product.variants[item_id]
        raise ValueError(f"there is no item {item_id!r}")

    def _replaced(self, order: Order, wanted: given.Replace) -> tuple[tuple[Item, ...], float]:
        """The order's items after the exchange, and what they cost more, in dollars."""
        if len(wanted.item_ids) != len(wanted.new_item_ids):
            raise ValueError("as many new items as old ones are needed")
        items, difference = list(order.items), 0.0
        for position, new_id in zip(positions(order, wanted.item_ids), wanted.new_item_ids, strict=True):
            old = items[position]
            product_id, new = self._variant(new_id)
            if product_id != old.product_id:
                raise ValueError(f"item {new_id} is no {old.name}")
            if not new.available:
                raise ValueError(f"item {new_id} is not available")
            difference += new.price - old.price
            items[position] = old.model_copy(
                update={"item_id": new.item_id, "price": new.price, "options": new.options}
            )
        return tuple(items), round(difference, 2)

    def _debit(self, user_id: str, method_id: str, amount: float) -> None:
        check_balance(self._method(user_id, method_id), amount)
        self._credit(user_id, method_id, -amount)

    def _credit(self, user_id: str, method_id: str, amount: float) -> None:
        """Put money on a gift card; other methods keep no balance."""
        user, method = self._user(user_id), self._method(user_id, method_id)
        if method.balance is None:
            return
        filled = method.model_copy(update={"balance": round(method.balance + amount, 2)})
        methods = {**user.payment_methods, method_id: filled}
        self._users[user_id] = user.model_copy(update={"payment_methods": methods})

    def _changed(self, order: Order, **changes: Any) -> JsonValue:
        self._orders[order.order_id] = order.model_copy(update=changes)
        return plain(self._orders[order.order_id])


TOOLS: Mapping[str, tuple[type[Value], str, Callable[[Retail, Any], JsonValue]]] = {
    "calculate": (given.Expression, "Calculate.", Retail.calculate),
    "cancel_pending_order": (given.Cancel, "Cancel a pending order and refund it.", Retail.cancel),
    "exchange_delivered_order_items": (
        given.Replace,
        "Exchange items of a delivered order for others of the same products.",
        Retail.exchange_items,
    ),
    "find_user_id_by_email": (given.ByEmail, "Find a user by e-mail.", Retail.find_by_email),
    "find_user_id_by_name_zip": (
        given.ByNameAndZip,
        "Find a user by name and zip code.",
        Retail.find_by_name_and_zip,
    ),
    "get_item_details": (given.OfItem, "A variant's options, price, availability.", Retail.item_details),
    "get_order_details": (given.OfOrder, "An order's items, status, payments.", Retail.order_details),
    "get_product_details": (given.OfProduct, "A product and its variants.", Retail.product_details),
    "get_user_details": (given.OfUser, "A user's address, payments, orders.", Retail.user_details),
    "list_all_product_types": (given.Nothing, "The products' ids by name.", Retail.product_types),
    "modify_pending_order_address": (
        given.OrderAddress,
        "Send a pending order elsewhere.",
        Retail.change_order_address,
    ),
    "modify_pending_order_items": (
        given.Replace,
        "Replace items of a pending order by others of the same products, once.",
        Retail.change_items,
    ),
    "modify_pending_order_payment": (
        given.Payment,
        "Pay a pending order with another method.",
        Retail.change_payment,
    ),
    "modify_user_address": (given.UserAddress, "Change a user's address.", Retail.change_user_address),
    "return_delivered_order_items": (
        given.Return,
        "Return items of a delivered order.",
        Retail.return_items,
    ),
    "transfer_to_human_agents": (given.Summary, "Fetch a person.", Retail.transfer),
}
"""By name: the arguments, what it does, the method."""
