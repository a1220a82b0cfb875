"""Whether a condition holds: values in, values or ValueError out. docs/adr/0018-conditions.md says why in this way."""

import ast
from functools import partial
from typing import Any

from simpleeval import InvalidExpression, SimpleEval

from services.architect.expression import CONSTANTS, parsed, path_of
from services.architect.functions import FUNCTIONS, Function
from services.architect.values import Known

MAX_CHARACTERS = 10_000_000
"""That one evaluation looks at, each as often as it does: up to 0.3 seconds of a replica that has other work."""


class _Evaluator(SimpleEval):  # type: ignore[misc]
    """Knows variables by their whole paths, and nothing of Python's attributes."""

    def __init__(self, known: Known) -> None:
        super().__init__(functions={name: partial(self._call, function) for name, function in FUNCTIONS.items()})
        self._known, self._left = known, MAX_CHARACTERS
        self.nodes |= dict.fromkeys((ast.Name, ast.Attribute, ast.Subscript), self._variable)
        self.nodes |= dict.fromkeys((ast.List, ast.Tuple), self._list)

    def _variable(self, node: ast.AST) -> Any:
        path = path_of(node) or ""
        return CONSTANTS[path] if path in CONSTANTS else self._looked_at(self._known.value(path))

    def _list(self, node: ast.List | ast.Tuple) -> list[Any]:
        return [self._eval(part) for part in node.elts]

    def _call(self, function: Function, *values: Any) -> Any:
        return function.call(*map(self._looked_at, values))

    def _looked_at(self, value: Any) -> Any:
        texts = value if isinstance(value, list) else [value]
        self._left -= sum(len(text) for text in texts if isinstance(text, str))
        if self._left < 0:
            raise ValueError(f"it looks at more than {MAX_CHARACTERS} characters")
        return value


def evaluate(condition: str, known: Known) -> bool:
    """Whether a condition holds. Raises ValueError, with a sentence for people, if that cannot be told."""
    try:
        return bool(_Evaluator(known).eval(condition, previously_parsed=parsed(condition)))
    except TypeError as error:
        raise ValueError("The condition compares what cannot be compared: a text and a number?") from error
    except (ValueError, InvalidExpression) as error:
        raise ValueError(f"The condition cannot be evaluated: {str(error).rstrip('.')}.") from error
