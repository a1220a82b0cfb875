"""A plan is made once per connection, and that may be when there is hardly anything stored: it has to do for ever."""

import pytest

from services.chat.path_store import _PATHS
from tests.integration.chat.world import World

_CONVERSATION = """
    INSERT INTO chat.conversation (id, tenant, "user", title, hidden, pinned, archived, created_at, updated_at)
    SELECT 'conv_' || n, 't', 'u', '', false, false, false, now(), now() FROM generate_series(1, 40) n
"""
_MESSAGES = """
    INSERT INTO chat.message
        (id, conversation_id, client_id, position, role, content, status, omitted_messages, created_at)
    SELECT 'msg_' || c || '_' || n, 'conv_' || c, 'mine_' || n, n, 'user', repeat('Hello', 20), 'completed', 0, now()
    FROM generate_series(1, 40) c, generate_series(1, {each}) n
"""


@pytest.mark.parametrize("each", [None, 1, 4, 50])
@pytest.mark.parametrize("target", _PATHS)
async def test_no_step_of_a_path_reads_all_messages(world: World, target: str, each: int | None) -> None:
    """`each`: how many messages a conversation had when the planner last looked; None if it never did."""
    statement = _PATHS[target]  # type: ignore[index]
    values = statement.arguments({"conversation_id": "conv_x", "tenant": "t", "user": "u", "target": "msg_x"})
    async with world.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            if each is not None:
                await connection.execute(_CONVERSATION)
                await connection.execute(_MESSAGES.format(each=each))
                await connection.execute("ANALYZE chat.conversation, chat.message")
            await connection.execute("TRUNCATE chat.message")
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {statement.sql}", *values))
        finally:
            await transaction.rollback()
    assert plan.count("Index Scan using message_pkey") >= 2, plan
    assert "Seq Scan on message" not in plan, plan
