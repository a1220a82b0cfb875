"""The language of conditions, docs/adr/0018-conditions.md: what can be written. Values in, values or ValueError out.

It is a small part of Python's expressions: comparisons, `in`, `and`, `or`, `not`, `… if … else …`, texts, numbers,
lists, variables and a few functions. Nothing in it repeats or grows.
"""

import ast
from collections.abc import Iterator
from typing import Any

from services.architect.functions import FUNCTIONS

MAX_NODES = 1_000
"""Of an expression: its texts, names, comparisons …"""
MAX_DEPTH = 30
"""So that no thread's stack is too small for it."""
CONSTANTS = {"true": True, "false": False}
"""As others write them."""

_ALLOWED = (
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.IfExp, ast.Constant, ast.Load),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.List, ast.Tuple),
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Call),
)
_NO_ARITHMETIC = (
    "A condition cannot calculate. A name with a dash in it is written `steps['the-name'].output` or "
    "`inputs['the-name']`."
)


def parsed(condition: str) -> ast.expr:
    """An expression as a tree. Raises ValueError if it is none, or uses what is not allowed."""
    try:
        tree = ast.parse(f"(\n{condition}\n)", mode="eval").body  # it may have several lines
    except SyntaxError as error:
        hint = " Write `and`, `or`, `not`." if any(sign in condition for sign in ("&&", "||", "!")) else ""
        raise ValueError(f"The condition cannot be read: {error.msg}.{hint}") from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise ValueError("The condition cannot be read.") from error
    _check_size(tree)
    for node in ast.walk(tree):
        _check(node)
    if isinstance(tree, (ast.List, ast.Tuple)) or (isinstance(tree, ast.Constant) and not isinstance(tree.value, bool)):
        raise ValueError("The condition is a mere value. Compare it with something.")
    return tree


def _check_size(tree: ast.expr) -> None:
    nodes = 0
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level or nodes > MAX_NODES:
        raise ValueError("The condition is too long or nested too deeply.")


def _check(node: ast.AST) -> None:
    if isinstance(node, ast.BinOp):
        raise ValueError(_NO_ARITHMETIC)
    if not isinstance(node, _ALLOWED):
        raise ValueError(f"A condition cannot have this in it: {type(node).__name__}.")
    if isinstance(node, ast.Constant) and not isinstance(node.value, (str, int, float)):
        raise ValueError(f"A condition cannot have {node.value!r} in it.")
    if isinstance(node, ast.Call):
        _check_call(node)
    if isinstance(node, (ast.Attribute, ast.Subscript)) and path_of(node) is None:
        raise ValueError("A condition takes parts of inputs and steps only, by their names.")


def _check_call(node: ast.Call) -> None:
    function = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if function is None or node.keywords:
        raise ValueError(f"A condition has these functions only: {', '.join(FUNCTIONS)}.")
    if len(node.args) != function.arguments:
        raise ValueError(f"A function has another number of values in its brackets: {function.arguments}.")


def path_of(node: ast.AST) -> str | None:
    """The path that a name, or names joined by dots or brackets, stands for; None if it is none."""
    if isinstance(node, ast.Name):
        return node.id
    name: Any = None
    if isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        name = node.slice.value
    if not isinstance(node, (ast.Attribute, ast.Subscript)) or not isinstance(name, str) or "." in name:
        return None
    before = path_of(node.value)
    return None if before is None else f"{before}.{name}"


def paths(tree: ast.AST) -> Iterator[str]:
    """The variables of an expression."""
    path = path_of(tree)
    if path is not None:
        if path not in CONSTANTS:
            yield path
        return
    called = [tree.func] if isinstance(tree, ast.Call) else []
    for child in ast.iter_child_nodes(tree):
        if child not in called:
            yield from paths(child)
