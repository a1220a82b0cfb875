"""What a migration does to what is there already: its SQL, looked through for what the release before cannot live with.

Services of two releases run side by side at every deploy, and the older ones come back at a rollback. So a release only
adds. What nothing uses any more is taken away by a later one, in a migration that says so: `contracts_after = "1.2.0"`,
the last release whose code used it. There must have been one without that since.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import Script, ScriptDirectory

RELEASED = re.compile(r"^## \[(\d+\.\d+\.\d+)\]", re.MULTILINE)
_NAME = r'[\w."]+'
_FORBIDDEN = {
    "drops a table": re.compile(r"\bDROP TABLE\b"),
    "drops a column": re.compile(r"\bDROP COLUMN\b"),
    "renames": re.compile(r"\bRENAME\b"),
    "changes a type": re.compile(r"\bALTER COLUMN \S+ (SET DATA )?TYPE\b"),
    "demands a value": re.compile(r"\bSET NOT NULL\b"),
    "takes a default away": re.compile(r"\bDROP DEFAULT\b"),
    "drops a type, a view, a function or a schema": re.compile(r"\bDROP (TYPE|VIEW|MATERIALIZED|FUNCTION|SCHEMA)\b"),
    "empties a table": re.compile(r"\bTRUNCATE\b"),
    "demands a value in a new column": re.compile(r"\bADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL\b"),
    "demands what the release before may not hold to": re.compile(r"\bADD CONSTRAINT\b|\bCREATE UNIQUE INDEX\b"),
}
_OF_TABLE = re.compile(rf"(?:ALTER TABLE(?: IF EXISTS)?(?: ONLY)?|INDEX .*? ON) ({_NAME})", re.IGNORECASE)
_CREATED = re.compile(rf"CREATE TABLE(?: IF NOT EXISTS)? ({_NAME})", re.IGNORECASE)


def sql_of(folder: Path, schema: str) -> Iterator[tuple[Script, list[str]]]:
    """Each migration of a service and its statements, oldest first; nothing is executed."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    scripts = ScriptDirectory.from_config(config)
    for script in reversed(list(scripts.walk_revisions())):
        said, before = io.StringIO(), str(script.down_revision or "base")

        def one(_: Any, __: Any, script: Script = script, before: str = before) -> Any:
            return scripts._upgrade_revs(script.revision, before)

        with EnvironmentContext(
            config, scripts, fn=one, as_sql=True, output_buffer=said, starting_rev=before
        ) as environment:
            environment.configure(dialect_name="postgresql", version_table_schema=schema)
            with environment.begin_transaction():
                environment.run_migrations()
        lines = (line for line in said.getvalue().splitlines() if not line.startswith("--"))
        statements = (" ".join(statement.split()) for statement in "\n".join(lines).split(";"))
        yield script, [statement for statement in statements if statement and "alembic_version" not in statement]


def broken_rules(statements: list[str]) -> list[str]:
    """What the release before cannot live with. Tables that the same migration makes are nobody's yet."""
    own = {name for statement in statements for name in _CREATED.findall(statement)}
    found = []
    for statement in statements:
        table = _OF_TABLE.search(statement)
        if table is not None and table[1] in own:
            continue
        found += [f"{rule}: {statement}" for rule, pattern in _FORBIDDEN.items() if pattern.search(statement)]
    return found


def contracts_after(script: Script, changelog: str) -> str | None:
    """The release that used last what it takes away. Raises AssertionError when the newest one may still use it."""
    release: str | None = getattr(script.module, "contracts_after", None)
    if release is not None:
        newest, *older = RELEASED.findall(changelog) or [""]
        assert release in older, (
            f"{script.path}: {release} is no release before the newest, {newest or 'there is none'}"
        )
    return release
