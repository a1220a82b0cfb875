"""Where the edge listens: local mode has no passwords and stays on this machine unless it is told otherwise."""

import asyncio
import os
import sys

import pytest

from kit.runtime.ports import free_port
from tests.fixtures.servers import Servers
from tests.fixtures.stack import SECRET

DEADLINE_SECONDS = 30.0


async def edge(servers: Servers, **settings: str) -> tuple[int | None, str]:
    """Start an edge; its exit code and words, or None when it is up."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    environment |= {
        "STUDIO_NATS_URL": servers.nats_url,
        "STUDIO_AUTH_SECRET": SECRET,
        "STUDIO_EDGE_PORT": "0",
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services", "run", "edge"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while line := await process.stdout.readline():
                said += line
                if b"is ready" in line:
                    return None, said.decode()
            return await process.wait(), said.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "studio.example"])
async def test_local_mode_refuses_to_listen_beyond_this_machine(servers: Servers, host: str) -> None:
    code, said = await edge(servers, STUDIO_EDGE_HOST=host)
    assert code not in (None, 0)
    assert f"does not listen on {host}" in said
    assert "Traceback" not in said


async def test_it_does_when_it_is_told_to(servers: Servers, stack: object) -> None:
    for settings in ({"STUDIO_AUTH_ALLOW_BEYOND_LOOPBACK": "true"}, {"STUDIO_AUTH_MODE": "token"}):
        code, said = await edge(servers, STUDIO_EDGE_HOST="0.0.0.0", **settings)
        assert code is None, said


async def test_it_refuses_to_start_without_a_secret(servers: Servers) -> None:
    for secret in ("", "short"):
        code, said = await edge(servers, STUDIO_AUTH_SECRET=secret)
        assert code not in (None, 0)
        assert "STUDIO_AUTH_SECRET" in said
        assert "Traceback" not in said


async def test_a_port_that_is_taken_is_said_so(servers: Servers) -> None:
    port = free_port()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    async with server:
        code, said = await edge(servers, STUDIO_EDGE_PORT=str(port))
    assert code not in (None, 0)
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "Traceback" not in said
