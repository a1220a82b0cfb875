"""A replica of the log that has not heard of the newest messages: what a follower in a cluster may be for a moment.

Its answers are a real server's: another one, with the log as it was. Only the way there is ours: who reads the log by
direct get on `reader` asks the old replica, while calls that only the stream's leader answers reach the leader.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from kit.bus.connection import Bus
from kit.bus.frames import hpub
from kit.bus.streams import declare_streams
from kit.runtime.embedded_nats import EmbeddedNats
from tests.fixtures.bus import bus_to

DIRECT_GET = "$JS.API.DIRECT.GET.RUNS"
OLD = "old.replica"


class OldReplica:
    """`stay_behind` copies the log as it is now; from then on this replica hears nothing more until `catch_up`."""

    def __init__(self, leader: Bus, reader: Bus, follower: Bus, patch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self._leader, self._follower, self._fast = leader.client, follower.client, leader.fast
        self._behind = False
        self._copied = 0
        publish = reader.client.publish

        async def routed(subject: str, *arguments: Any, **options: Any) -> None:
            self.asked += subject == DIRECT_GET
            await publish(OLD if self._behind and subject == DIRECT_GET else subject, *arguments, **options)

        patch.setattr(reader.client, "publish", routed)

    async def start(self) -> None:
        """Answer what is asked of the old replica."""
        await self._leader.subscribe(OLD, cb=self._answer)
        await self._leader.flush()

    async def stay_behind(self) -> None:
        """Hear of nothing that comes from now on."""
        for message in await _batch(self._leader, {"seq": self._copied + 1, "next_by_subj": "log.>", "batch": 10_000}):
            headers = message.headers or {}
            if "Status" not in headers:
                stored = await self._follower.jetstream().publish(headers["Nats-Subject"], message.data)
                assert stored.seq == int(headers["Nats-Sequence"]), "the same places as in the leader's log"
                self._copied = stored.seq
        self._behind = True

    def catch_up(self) -> None:
        """Know what the leader knows."""
        self._behind = False

    async def _answer(self, request: Msg) -> None:
        asked = json.loads(request.data)
        if "batch" in asked:
            answers = await _batch(self._follower, asked)
        else:
            answers = [await self._follower.request(DIRECT_GET, request.data)]
        for answer in answers:
            self._fast.send(hpub(request.reply.encode(), b"", _header_block(answer.headers or {}), answer.data))


def _header_block(headers: Mapping[str, str]) -> bytes:
    """As it came: nats-py reads a status from the first line, and does not write one."""
    status = " ".join(headers[name] for name in ("Status", "Description") if name in headers)
    lines = [f"{name}: {value}" for name, value in headers.items() if name not in ("Status", "Description")]
    return "\r\n".join([f"NATS/1.0 {status}".rstrip(), *lines, "", ""]).encode()


async def _batch(client: Client, request: dict[str, Any]) -> list[Msg]:
    """All answers to a request for a batch, and its end."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    await client.publish(DIRECT_GET, json.dumps(request).encode(), reply=inbox)
    found: list[Msg] = []
    while not found or "Status" not in (found[-1].headers or {}):
        found.append(await subscription.next_msg(timeout=30))
    await subscription.unsubscribe()
    return found


@contextlib.asynccontextmanager
async def leader_and_old_replica(folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Bus, Bus, OldReplica]]:
    """A connection to write on, one to read on, and the replica that answers the second one's direct gets."""
    servers = [EmbeddedNats(folder / name) for name in ("leader", "follower")]
    async with contextlib.AsyncExitStack() as stack:
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        leader, reader, follower = [
            await stack.enter_async_context(bus_to(url, replicas=3))
            for url in (servers[0].url, servers[0].url, servers[1].url)
        ]
        for bus in (leader, follower):
            await declare_streams(bus.client, 1)
        replica = OldReplica(leader, reader, follower, patch)
        await replica.start()
        yield leader, reader, replica
