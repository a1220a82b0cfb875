"""What JetStream refuses for a moment only is asked for again; what it refuses for good is told."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kit.bus import streams
from kit.bus.connection import BusError

NO_PEERS = {"code": 400, "err_code": 10005, "description": "no suitable peers for placement, peer offline"}


class Server:
    """Answers with an error so many times, then that all is well."""

    def __init__(self, times: float) -> None:
        self.times, self.asked = times, 0

    async def request(self, *_: Any, **__: Any) -> Any:
        self.asked += 1
        return SimpleNamespace(data=json.dumps({"error": NO_PEERS} if self.asked <= self.times else {}).encode())


async def test_a_cluster_whose_servers_count_as_offline_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_LOOK_AGAIN_SECONDS", 0.001)
    server = Server(3)
    assert await streams._ask(server, "STREAM.CREATE.RUNS", {}) is None  # type: ignore[arg-type]
    assert server.asked == 4


async def test_a_cluster_that_is_too_small_is_told_of_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_LOOK_AGAIN_SECONDS", 0.001)
    monkeypatch.setattr(streams, "_WAIT_FOR_JETSTREAM_SECONDS", 0.05)
    with pytest.raises(BusError, match="NATS refused the stream RUNS: no suitable peers"):
        await streams.declare_streams(Server(float("inf")), 3)  # type: ignore[arg-type]
