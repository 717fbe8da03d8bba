"""Sums for an agent: numbers, the four operations and brackets, nothing of Python besides.

calculated("3131.1 + 4777.75 + 367.38")     # 8276.23
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Final

_OPERATIONS: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_MAX_CHARS = 500
_MAX_DEPTH = 50


def calculated(expression: str) -> float:
    """The value. Raises ValueError if it is no such sum, too long, or divides by zero."""
    if len(expression) > _MAX_CHARS:
        raise ValueError(f"the sum has {len(expression)} characters; {_MAX_CHARS} are allowed")
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body, 0)
    except (SyntaxError, ZeroDivisionError, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"{expression!r} cannot be calculated: {error}") from error


def _value(node: ast.expr, depth: int) -> float:
    if depth > _MAX_DEPTH:
        raise ValueError("the sum is too deep")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATIONS:
            return _OPERATIONS[type(operation)](_value(left, depth + 1), _value(right, depth + 1))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, depth + 1)
        case _:
            raise ValueError(
                f"only numbers, + - * / and brackets can be calculated, not {ast.unparse(node)!r}"
            )
