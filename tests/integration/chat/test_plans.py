"""What every message costs stays the same however much is stored: the path to it is found by indexes."""

import pytest

from services.chat.path_store import _PATHS
from tests.integration.chat.world import World

_MANY = """
    INSERT INTO chat.message (id, conversation_id, position, parent_id, role, content, status, created_at)
    SELECT 'many_' || n, 'conv_many', n, 'many_' || n - 1, 'user', 'x', 'completed', now()
    FROM generate_series(1, 5000) n
"""


@pytest.mark.parametrize("target", _PATHS)
async def test_no_step_of_a_path_reads_all_messages(world: World, target: str) -> None:
    statement = _PATHS[target]  # type: ignore[index]
    values = statement.arguments({"conversation_id": "conv_many", "tenant": "t", "user": "u", "target": "many_5000"})
    async with world.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(
                """INSERT INTO chat.conversation (id, tenant, "user", title, head_id, created_at, updated_at)
                   VALUES ('conv_many', 't', 'u', '', 'many_5000', now(), now())"""
            )
            await connection.execute(_MANY)
            await connection.execute("ANALYZE chat.message")
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement.sql}", *values))
        finally:
            await transaction.rollback()
    assert "message_pkey" in plan
    assert "Seq Scan on message" not in plan, plan
