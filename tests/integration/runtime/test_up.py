import asyncio
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
from polling import eventually, is_alive

from kit.runtime.ports import free_port
from services.roster import ROSTER

FAKE_UP = Path(__file__).with_name("fake_up.py")
ROOT = Path(__file__).parents[3]


class Up:
    """A local stack with fake services, in a process of its own."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = int(environment.get("STUDIO_EDGE_PORT") or free_port())
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "STUDIO_DATA_DIR": str(data),
            "STUDIO_EDGE_PORT": str(self.port),
            **environment,
        }
        self.output = ""

    async def __aenter__(self) -> "Up":
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(FAKE_UP), "up"),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        await self.process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.output += line.decode()

    def state(self) -> dict[str, Any]:
        try:
            return json.loads((self.data / "state.json").read_text())
        except OSError:
            return {}

    async def ready(self) -> dict[str, Any]:
        await eventually(
            lambda: self.state().get("ready") or self.process.returncode is not None, f"up is ready: {self.output}"
        )
        assert self.process.returncode is None, self.output
        await eventually(lambda: "AI Studio is at" in self.output, "the welcome")
        return self.state()

    async def ended(self) -> int:
        code = await asyncio.wait_for(self.process.wait(), 60)
        await self._reader
        return code


@asynccontextmanager
async def running(data: Path, **environment: str) -> AsyncIterator[Up]:
    async with Up(data, **environment) as up:
        await up.ready()
        yield up


async def all_gone(pids: dict[str, int]) -> None:
    for name, pid in pids.items():
        await eventually(lambda pid=pid: not is_alive(pid), f"{name} is gone")


async def test_it_starts_says_what_to_paste_and_stops_cleanly(tmp_path: Path) -> None:
    async with Up(tmp_path / "data") as up:
        state = await up.ready()
        assert set(state["pids"]) == {"nats", "postgres", *(spec.name for spec in ROSTER)}
        assert f"AI Studio is at http://127.0.0.1:{up.port}" in up.output
        assert f"curl -N http://127.0.0.1:{up.port}/v1/conversations/new/messages" in up.output
        up.process.send_signal(signal.SIGTERM)
        assert await up.ended() == 0
    assert "everything has stopped" in up.output
    assert "Traceback" not in up.output
    await all_gone(state["pids"])
    assert not (up.data / "state.json").exists()
    for private in ("secrets/auth", "secrets/postgres", "secrets/services"):
        assert stat.S_IMODE((up.data / private).stat().st_mode) == 0o600


async def test_the_data_and_the_ports_are_the_same_the_next_time(tmp_path: Path) -> None:
    async with running(tmp_path) as up:
        first = up.state()
        connection = await asyncpg.connect(first["dsn"])
        await connection.execute("CREATE TABLE t AS SELECT 42 AS x")
        await connection.close()
    async with running(tmp_path) as up:
        second = up.state()
        connection = await asyncpg.connect(second["dsn"])
        assert await connection.fetchval("SELECT x FROM t") == 42
        await connection.close()
    assert (first["dsn"], first["nats_url"]) == (second["dsn"], second["nats_url"])


async def test_killed_servers_come_back_on_the_same_port_with_their_data(tmp_path: Path) -> None:
    async with running(tmp_path) as up:
        state = up.state()
        client = await nats.connect(state["nats_url"])
        await client.jetstream().add_stream(name="S", subjects=["s.>"])
        await client.jetstream().publish("s.a", b"kept")
        await client.close()
        for name in ("nats", "postgres", "chat"):
            os.kill(state["pids"][name], signal.SIGKILL)
        for name in ("nats", "postgres", "chat"):
            await eventually(lambda name=name: f"{name} is back" in up.output, f"{name} is back")
        client = await nats.connect(state["nats_url"])
        assert (await client.jetstream().get_msg("S", seq=1)).data == b"kept"
        await client.close()
        connection = await asyncpg.connect(state["dsn"])
        await connection.close()
        assert up.state()["pids"]["chat"] != state["pids"]["chat"]


async def test_nothing_is_left_when_it_is_killed_and_it_starts_again_at_once(tmp_path: Path) -> None:
    async with running(tmp_path) as up:
        pids = up.state()["pids"]
        up.process.kill()
        await up.ended()
    async with running(tmp_path, STUDIO_EDGE_PORT=str(up.port)):
        await all_gone(pids)


async def test_a_second_instance_names_the_first(tmp_path: Path) -> None:
    async with running(tmp_path) as first, Up(tmp_path) as second:
        assert await second.ended() == 1
        assert f"already runs in {tmp_path} (pid {first.process.pid}, http://127.0.0.1:{first.port})" in second.output
        assert second.output.count("\n") == 1
        assert first.state()["ready"]


async def test_a_busy_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        async with Up(tmp_path, STUDIO_EDGE_PORT=str(port)) as up:
            assert await up.ended() == 1
    assert up.output.startswith(f"error: port {port} on 127.0.0.1 is used by another program")
    assert "STUDIO_EDGE_PORT" in up.output


async def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with Up(tmp_path / "file" / "data") as up:
        assert await up.ended() == 1
    assert up.output.startswith("error: the data directory")
    assert up.output.count("\n") == 1


async def test_a_service_that_fails_to_start_is_named_and_everything_is_stopped(tmp_path: Path) -> None:
    async with Up(tmp_path, FAKE_FAILS="chat") as up:
        assert await up.ended() == 1
    assert "error: chat ended with exit code 1" in up.output
    assert "the fake was told to fail" in up.output
    assert "Traceback (most" not in up.output.rpartition("error:")[2]
    assert not (tmp_path / "state.json").exists()


@pytest.mark.parametrize("moment", ["", "NATS runs", "Postgres runs", "up to date"])
async def test_ctrl_c_during_the_start_leaves_nothing(tmp_path: Path, moment: str) -> None:
    async with Up(tmp_path) as up:
        await eventually(lambda: up.state().get("pid") and moment in up.output, "the start has begun")
        seen = up.state()["pids"]
        up.process.send_signal(signal.SIGINT)
        assert await up.ended() == 0
    assert "Traceback" not in up.output
    await all_gone(seen)
