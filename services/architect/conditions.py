"""Whether a step is taken: an expression over inputs and steps. docs/adr/0018-conditions.md says why in this language.

What can be written is a small part of Python's expressions: comparisons, `in`, `and`, `or`, `not`, texts, numbers,
lists, variables and a few functions. Nothing in it repeats or grows, so its time is bounded by its length and values.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from simpleeval import SimpleEval

from services.architect.values import Known

MAX_NODES = 300
"""Of an expression: its texts, names, comparisons …"""
MAX_DEPTH = 30
"""So that no thread's stack is too small for it."""
_NUMBER_CHARACTERS = 40


def _number(value: Any) -> float:
    if isinstance(value, str) and len(value) <= _NUMBER_CHARACTERS:
        value = value.strip()
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError("`number` was given something that is no number.") from error


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "length": (1, len),
    "lower": (1, lambda text: _text(text).lower()),
    "upper": (1, lambda text: _text(text).upper()),
    "trim": (1, lambda text: _text(text).strip()),
    "number": (1, _number),
    "contains": (2, lambda whole, part: part in whole),
    "starts_with": (2, lambda text, part: _text(text).startswith(_text(part))),
    "ends_with": (2, lambda text, part: _text(text).endswith(_text(part))),
}
"""By name: how many arguments, and what it does."""
CONSTANTS = {"true": True, "false": False}

_ALLOWED = (
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.IfExp, ast.Constant, ast.Load),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.List, ast.Tuple),
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Call),
)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("A function for texts was given something else.")
    return value


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


def parsed(condition: str) -> ast.expr:
    """An expression as a tree. Raises ValueError if it is none, or uses what is not allowed."""
    try:
        tree = ast.parse(condition.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        hint = " Write `and`, `or`, `not`." if any(sign in condition for sign in ("&&", "||", "!")) else ""
        raise ValueError(f"The condition cannot be read: {_why(error)}.{hint}") from error
    nodes = 0
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        nodes += len(level)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level or nodes > MAX_NODES:
        raise ValueError("The condition is too long or nested too deeply.")
    for node in ast.walk(tree):
        _check(node)
    return tree


def _why(error: BaseException) -> str:
    return f"{error.msg} at character {error.offset}" if isinstance(error, SyntaxError) else "it is nested too deeply"


def _check(node: ast.AST) -> None:
    if isinstance(node, ast.BinOp):
        raise ValueError(
            "A condition cannot calculate. A name with a dash in it is written `steps['the-name'].output` or "
            "`inputs['the-name']`."
        )
    if not isinstance(node, _ALLOWED):
        raise ValueError(f"A condition cannot have {type(node).__name__} in it.")
    if isinstance(node, ast.Constant) and not isinstance(node.value, (str, int, float)):
        raise ValueError(f"A condition cannot have {node.value!r} in it.")
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            raise ValueError(f"A condition has these functions only: {', '.join(FUNCTIONS)}.")
        if len(node.args) != FUNCTIONS[name][0]:
            raise ValueError(f"The function `{name}` has {FUNCTIONS[name][0]} in its brackets.")
    if isinstance(node, (ast.Attribute, ast.Subscript)) and path_of(node) is None:
        raise ValueError("A condition takes parts of inputs and steps only, by their names.")


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


class _Evaluator(SimpleEval):  # type: ignore[misc]
    """Knows variables by their whole paths, and nothing of Python's attributes."""

    def __init__(self, known: Known) -> None:
        super().__init__(functions={name: function for name, (_, function) in FUNCTIONS.items()})
        self._known = known
        self.nodes |= dict.fromkeys((ast.Name, ast.Attribute, ast.Subscript), self._variable)
        self.nodes |= dict.fromkeys((ast.List, ast.Tuple), self._list)

    def _list(self, node: ast.List | ast.Tuple) -> list[Any]:
        return [self._eval(part) for part in node.elts]

    def _variable(self, node: ast.AST) -> Any:
        path = path_of(node) or ""
        return CONSTANTS[path] if path in CONSTANTS else self._known.value(path)


def evaluate(condition: str, known: Known) -> bool:
    """Whether a condition holds. Raises ValueError, with a sentence for people, if that cannot be told."""
    tree = parsed(condition)
    try:
        return bool(_Evaluator(known).eval(condition, previously_parsed=tree))
    except Exception as error:
        raise ValueError(f"The condition `{condition}` cannot be evaluated: {error}") from error
