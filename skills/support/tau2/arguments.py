"""What the retail tools are called with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dialog.values import Value


class Nothing(Value):
    pass


class Expression(Value):
    expression: str = Field(max_length=500, description="numbers, + - * / and brackets")


class Summary(Value):
    summary: str


class ByEmail(Value):
    email: str


class ByNameAndZip(Value):
    first_name: str
    last_name: str
    zip: str


class OfUser(Value):
    user_id: str


class OfOrder(Value):
    order_id: str = Field(description="with the # in front, as #W0000000")


class OfProduct(Value):
    product_id: str


class OfItem(Value):
    item_id: str


class Cancel(OfOrder):
    reason: Literal["no longer needed", "ordered by mistake"]


class Payment(OfOrder):
    payment_method_id: str


class Return(Payment):
    item_ids: tuple[str, ...] = Field(min_length=1)


class Replace(Return):
    """`new_item_ids[i]` comes in place of `item_ids[i]`."""

    new_item_ids: tuple[str, ...]


class NewAddress(Value):
    address1: str
    address2: str
    city: str
    state: str
    country: str
    zip: str


class OrderAddress(NewAddress, OfOrder):
    pass


class UserAddress(NewAddress, OfUser):
    pass
