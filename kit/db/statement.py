"""Single statements for the paths that every run takes: straight to asyncpg, without a session and its round trips."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"(?<!:):([a-z_]+)")


class Statement:
    """SQL with `:names`, as asyncpg takes it: numbered, and prepared once per connection."""

    def __init__(self, sql: str) -> None:
        self._names = tuple(dict.fromkeys(_NAME.findall(sql)))
        self.sql = _NAME.sub(lambda found: f"${self._names.index(found[1]) + 1}", sql)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the numbers. Raises KeyError if one is missing."""
        return [values[name] for name in self._names]
