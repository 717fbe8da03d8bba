"""The orders of the sample shop: three tools on a dozen of orders, to try free replay without any data.

    instructrec replay talks.jsonl --mode free --environment dialog.replay.environments.shop:sample_shop

A task may bring its own orders: `meta.task.orders`, by number, in the shape of `Order`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import JsonValue, TypeAdapter, ValidationError

from dialog.errors import ConfigError
from dialog.replay.environments.environment import Tool
from dialog.values import Value


class Order(Value):
    """An order and how far it is."""

    status: Literal["paid", "shipped", "delivered", "cancelled", "return requested"]
    item: str
    address: str


_ORDERS: TypeAdapter[dict[str, Order]] = TypeAdapter(dict[str, Order])
_SAMPLE = {
    "MK-10481": Order(status="paid", item="Alderwing 2", address="18 Weir Lane, Alderford"),
    "MK-10482": Order(status="shipped", item="Slatefire 26", address="3 Mill Road, Alderford"),
    "MK-10483": Order(status="delivered", item="Wren 3000", address="7 Quay Street, Portmoor"),
    "MK-20481": Order(status="paid", item="鹪鹩 3000 气炉", address="杭州市西湖区文三路 1 号"),
    "MK-20482": Order(status="delivered", item="青石 26 铸铁锅", address="上海市徐汇区漕溪路 2 号"),
}


def _tool(name: str, description: str, *arguments: str) -> Tool:
    properties = {argument: {"type": "string"} for argument in arguments}
    parameters = {"type": "object", "properties": properties, "required": list(arguments)}
    return Tool(name=name, description=description, parameters=parameters)


_TOOLS = (
    _tool("find_order", "Look an order up.", "order_no"),
    _tool("cancel_order", "Cancel an order that is not sent yet.", "order_no"),
    _tool("change_address", "Send an order that is not sent yet elsewhere.", "order_no", "address"),
    _tool("request_return", "Ask for the return of a delivered order.", "order_no"),
)


class Shop:
    """Orders by number."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        self._orders = dict(orders)

    def tools(self) -> Sequence[Tool]:
        return _TOOLS

    def call(self, name: str, arguments: Mapping[str, Any]) -> JsonValue:
        number = str(arguments.get("order_no", "")).strip().upper()
        order = self._orders.get(number)
        if order is None:
            raise ValueError(f"there is no order {number!r}")
        match name:
            case "find_order":
                return order.model_dump(mode="json")
            case "cancel_order":
                return self._changed(number, order, only="paid", status="cancelled")
            case "change_address":
                return self._changed(number, order, only="paid", address=str(arguments.get("address", "")))
            case "request_return":
                return self._changed(number, order, only="delivered", status="return requested")
            case _:
                raise ValueError(f"there is no tool {name!r}")

    def state(self) -> JsonValue:
        return {number: order.model_dump(mode="json") for number, order in self._orders.items()}

    def _changed(self, number: str, order: Order, *, only: str, **change: str) -> JsonValue:
        if order.status != only:
            raise ValueError(f"order {number} is {order.status}, not {only}")
        self._orders[number] = Order.model_validate({**order.model_dump(), **change})
        return self._orders[number].model_dump(mode="json")


def sample_shop(task: Mapping[str, Any]) -> Shop:
    """A shop of its own for one conversation.

    Raises:
        ConfigError: the task's orders are none.
    """
    try:
        return Shop(_ORDERS.validate_python(task["orders"]) if "orders" in task else _SAMPLE)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in ("meta.task.orders", *first["loc"]))
        raise ConfigError(f"{where}: {first['msg']}") from error
