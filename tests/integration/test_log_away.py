"""While the bus is away, those who watch are told to come back, and find everything when they do."""

from pathlib import Path

import httpx

from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures.events import Told, follow, parse, send
from tests.fixtures.own_servers import own_database
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import running_stack

EVENT_SOURCE = {"accept": "text/event-stream"}


async def test_an_event_source_is_told_to_come_back(servers: Servers, tmp_path: Path) -> None:
    nats = EmbeddedNats(tmp_path / "nats")
    await nats.start()
    async with own_database(servers, nats.url) as own, running_stack(own, tmp_path) as stack, stack.client() as http:
        told = await send(http, "Hello")
        url = f"/v1/runs/{told.run_id}/events"
        await nats.kill()
        away = await _events(http, url)
        assert away.status == 200, "an EventSource gives up after anything else"
        assert [(event.type, event.id, event.data["code"]) for event in away.events] == [("notice", "", "reconnect")]
        assert away.raw.startswith(b"retry: ")
        assert (await http.get(url)).status_code == 503

        await nats.start()
        found: list[Told] = []

        async def back() -> bool:
            found.append(await _events(http, url))
            return found[-1].types[-1] == "run.completed"

        await until(back)
        assert found[-1].text() == told.text()
        assert (await follow(http, url)).types[-1] == "run.completed"
    await nats.stop()


async def _events(http: httpx.AsyncClient, url: str) -> Told:
    response = await http.get(url, headers=EVENT_SOURCE, timeout=30)
    return Told(response.status_code, parse(response.content), response.content)
