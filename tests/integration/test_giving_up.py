"""What no retry can help ends as failed, with every word it had, and is parked for people to look at."""

import json

from tests.fixtures.babbler import CHUNK, SSE, Babbler
from tests.fixtures.bus import plain_client
from tests.fixtures.events import follow, send
from tests.fixtures.stack import Stack

CALL = {"index": 0, "id": "call_1", "function": {"name": "paint", "arguments": json.dumps({"x": "y" * 300_000})}}
TOOL_CALL = json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"}]})


async def test_an_event_that_is_too_large_for_the_log(babbling: Stack, babbler: Babbler) -> None:
    babbler.says = SSE + CHUNK % b"before the call" + f"data: {TOOL_CALL}\n\ndata: [DONE]\n\n".encode()
    async with babbling.client() as http:
        told = await send(http, "Paint", model="mock")
        again = await follow(http, f"/v1/runs/{told.run_id}/events")
        messages = (await http.get(f"/v1/conversations/{told.one('run.created')['conversation_id']}/messages")).json()
    assert told.types[-2:] == ["generation.failed", "run.failed"]
    assert told.one("generation.failed")["text"] == told.text() == "before the call"
    assert again.types == told.types
    assert messages["items"][1]["content"] == "before the call"
    async with plain_client(babbling.servers) as client:
        parked = await client.jetstream().get_last_msg("DEAD", "dead.work.inference.generate.interactive")
    assert told.run_id.encode() in parked.data
    assert "Studio-Dead-Reason" in (parked.headers or {})
