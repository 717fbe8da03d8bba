"""The retail database of tau2-bench as values: products, users and orders, checked when they are read.

    shop = load(Path("../shared/data/tau2/retail/db.json.gz"))
    shop.orders["#W2378156"].status

Source: Barres et al. 2025, "tau2-bench", its `data/tau2/domains/retail/db.json`.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from dialog.errors import CorpusError
from dialog.values import Value


class Address(Value):
    address1: str
    address2: str
    city: str
    country: str
    state: str
    zip: str


class Variant(Value):
    """One item that can be ordered."""

    item_id: str
    options: dict[str, str]
    available: bool
    price: float


class Product(Value):
    """A type of product and its variants by item id."""

    name: str
    product_id: str
    variants: dict[str, Variant]


class PaymentMethod(Value):
    """`balance` is a gift card's, in dollars; `brand` and `last_four` are a credit card's."""

    source: Literal["gift_card", "paypal", "credit_card"]
    id: str
    balance: float | None = None
    brand: str | None = None
    last_four: str | None = None


class Name(Value):
    first_name: str
    last_name: str


class User(Value):
    user_id: str
    name: Name
    address: Address
    email: str
    payment_methods: dict[str, PaymentMethod]
    orders: tuple[str, ...]


class Item(Value):
    """A variant as it was ordered."""

    name: str
    product_id: str
    item_id: str
    price: float
    options: dict[str, str]


class Payment(Value):
    """What was paid or refunded, in dollars."""

    transaction_type: Literal["payment", "refund"]
    amount: float
    payment_method_id: str


class Order(Value):
    """An order; the fields after `payment_history` are there once something was done."""

    order_id: str
    user_id: str
    address: Address
    items: tuple[Item, ...]
    status: str
    fulfillments: tuple[dict[str, Any], ...]
    payment_history: tuple[Payment, ...]
    cancel_reason: str | None = None
    return_items: tuple[str, ...] | None = None
    return_payment_method_id: str | None = None
    exchange_items: tuple[str, ...] | None = None
    exchange_new_items: tuple[str, ...] | None = None
    exchange_payment_method_id: str | None = None
    exchange_price_difference: float | None = None


class Database(Value):
    """Everything there is, by id."""

    products: dict[str, Product]
    users: dict[str, User]
    orders: dict[str, Order]


def load(path: Path) -> Database:
    """Read `db.json.gz`.

    Raises:
        CorpusError: it is not there, or not in this shape.
    """
    try:
        with gzip.open(path, "rb") as file:
            return Database.model_validate_json(file.read())
    except OSError as error:
        raise CorpusError(
            f"{error.strerror or error}; set INSTRUCTREC_DATA to the data's folder", path=path
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CorpusError(f"{where}: {first['msg']}; is this tau2's retail database?", path=path) from error
