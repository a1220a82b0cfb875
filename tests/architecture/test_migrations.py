"""Expand, migrate, contract: no migration takes away what the release before uses (docs/runbook.md)."""

from pathlib import Path

import pytest

from services import roster
from tests.architecture.migration_rules import broken_rules, contracts_after, sql_of
from tests.architecture.source import ROOT

BEFORE_THE_FIRST_RELEASE = {("chat", "0004")}
"""It adds constraints to tables that were there; no release was without them, and migrations are never changed."""

NEW_TABLE = [
    "CREATE TABLE x.t ( a TEXT NOT NULL )",
    "CREATE UNIQUE INDEX i ON x.t (a)",
    "ALTER TABLE x.t ADD CONSTRAINT c UNIQUE (a)",
]
ADDS = [
    "ALTER TABLE x.old ADD COLUMN a TEXT",
    "ALTER TABLE x.old ADD COLUMN a BOOLEAN DEFAULT false NOT NULL",
    "CREATE INDEX i ON x.old (a)",
    "DROP INDEX x.j",
    "UPDATE x.old SET a = 'b'",
    "ALTER TABLE x.old ALTER COLUMN a SET STORAGE EXTERNAL",
]
TAKES = [
    "DROP TABLE x.old",
    "ALTER TABLE x.old DROP COLUMN a",
    "ALTER TABLE x.old RENAME COLUMN a TO b",
    "ALTER TABLE x.old RENAME TO new",
    "ALTER TABLE x.old ALTER COLUMN a TYPE BIGINT",
    "ALTER TABLE x.old ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE x.old ALTER COLUMN a DROP DEFAULT",
    "ALTER TABLE x.old ADD COLUMN a TEXT NOT NULL",
    "ALTER TABLE x.old ADD CONSTRAINT c UNIQUE (a)",
    "CREATE UNIQUE INDEX i ON x.old (a)",
    "TRUNCATE x.old",
]


@pytest.mark.parametrize(("schema", "folder"), roster.migrations())
def test_no_migration_takes_away_what_the_release_before_uses(schema: str, folder: Path) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    looked_at = 0
    for script, statements in sql_of(folder, schema):
        looked_at += 1
        assert statements, f"{script.path} does nothing that can be seen"
        broken = broken_rules(statements)
        if (schema, script.revision) not in BEFORE_THE_FIRST_RELEASE and not contracts_after(script, changelog):
            assert not broken, f"{script.path}"
    assert looked_at == len(list((folder / "versions").glob("0*.py")))


@pytest.mark.parametrize("statement", TAKES)
def test_what_takes_away_is_seen(statement: str) -> None:
    assert broken_rules([statement])


def test_what_adds_is_allowed_and_a_new_table_may_be_as_it_likes() -> None:
    assert broken_rules(ADDS) == []
    assert broken_rules(NEW_TABLE) == []


def test_what_the_newest_release_may_still_use_is_not_taken_away(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    text = 'from alembic import op\nrevision = "0001"\ndown_revision = None\ncontracts_after = "0.2.0"\n\n\n'
    text += 'def upgrade():\n    op.drop_column("run", "a", schema="chat")\n'
    (versions / "0001_gone.py").write_text(text)
    [(script, statements)] = sql_of(tmp_path, "chat")
    assert broken_rules(statements) == ["drops a column: ALTER TABLE chat.run DROP COLUMN a"]
    later = "## [0.3.0] - 2026-02-01\n"
    released = "## [0.2.0] - 2026-01-01\n"
    assert contracts_after(script, f"## [Unreleased]\n{later}{released}") == "0.2.0"
    for changelog in (f"## [Unreleased]\n{released}", f"{later}", "## [Unreleased]\n"):
        with pytest.raises(AssertionError, match=r"0\.2\.0 is no release before the newest"):
            contracts_after(script, changelog)
