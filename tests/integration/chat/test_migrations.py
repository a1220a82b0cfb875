"""What was stored before messages were a tree is one branch afterwards, and goes on."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from contracts.chat import Conversation
from kit.db.migrate import Schema, migrate_all
from kit.settings import DatabaseSettings
from services import roster
from tests.fixtures.ground import SERVICE_PASSWORD
from tests.fixtures.own_servers import own_database
from tests.fixtures.servers import Servers

_BEFORE = """
    INSERT INTO chat.conversation (id, tenant, "user", title, created_at, updated_at)
    VALUES ('c1', 't', 'u', 'One', now(), now()), ('c2', 't', 'u', 'Two', now(), now()),
           ('c3', 't', 'u', 'Empty', now(), now());
    INSERT INTO chat.message (id, conversation_id, position, role, content, status, created_at)
    VALUES ('m1', 'c1', 1, 'user', 'One', 'completed', now()), ('m2', 'c1', 2, 'assistant', '1', 'completed', now()),
           ('m3', 'c1', 3, 'user', 'Two', 'completed', now()), ('m4', 'c2', 1, 'user', 'Three', 'completed', now());
    INSERT INTO chat.run (id, tenant, "user", conversation_id, message_id, position, model, begins_conversation, status,
                          request, created_at, ended_at)
    VALUES ('r1', 't', 'u', 'c1', 'm2', 2, 'm', true, 'completed', '{}', now(), now()),
           ('r2', 't', 'u', 'c1', 'm5', 4, 'm', false, 'running', '{}', now(), NULL),
           ('r3', 't', 'u', 'c2', 'm6', 2, 'm', true, 'running', '{}', now(), NULL);
"""


@pytest.fixture
async def url(servers: Servers) -> AsyncIterator[str]:
    """An empty database."""
    async with own_database(servers, servers.nats_url) as own:
        yield own.database_url


async def test_what_was_stored_becomes_one_branch(url: str, tmp_path: Path) -> None:
    settings = DatabaseSettings(url=SecretStr(url), service_password=SecretStr(SERVICE_PASSWORD))
    now: Path = dict(roster.migrations())["chat"]
    shutil.copytree(now, tmp_path / "before", ignore=shutil.ignore_patterns("000[4-9]*", "__pycache__"))
    await migrate_all(settings, [Schema("chat", tmp_path / "before")])
    connection = await asyncpg.connect(url)
    await connection.execute(_BEFORE)
    await migrate_all(settings, [Schema("chat", now)])

    async def pairs(query: str) -> dict[str, Any]:
        return dict([tuple(row) for row in await connection.fetch(query)])

    assert await pairs("SELECT id, parent_id FROM chat.message") == {"m1": None, "m2": "m1", "m3": "m2", "m4": None}
    assert await pairs("SELECT id, head_id FROM chat.conversation") == {"c1": "m3", "c2": "m4", "c3": None}
    assert await pairs("SELECT id, parent_id FROM chat.run") == {"r1": "m1", "r2": "m3", "r3": "m4"}
    row = await connection.fetchrow("SELECT * FROM chat.conversation WHERE id = 'c1'")
    shown = Conversation.model_validate(dict(row))
    assert (shown.pinned, shown.archived, row["hidden"]) == (False, False, False)
    await connection.close()
