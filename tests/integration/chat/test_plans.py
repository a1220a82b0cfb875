"""A plan is made once per connection, and that may be when there is hardly anything stored: it has to do for ever."""

import pytest

from services.chat.path_store import _PATHS
from tests.integration.chat.world import World


@pytest.mark.parametrize("target", _PATHS)
async def test_no_step_of_a_path_reads_all_messages(world: World, target: str) -> None:
    statement = _PATHS[target]  # type: ignore[index]
    values = statement.arguments({"conversation_id": "conv_x", "tenant": "t", "user": "u", "target": "msg_x"})
    async with world.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute("TRUNCATE chat.message")
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement.sql}", *values))
        finally:
            await transaction.rollback()
    assert plan.count("Index Scan using message_pkey") >= 2, plan
    assert "Seq Scan on message" not in plan, plan
