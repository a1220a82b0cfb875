"""What every target can do: start, say how it is asked, say which processes are its own, stop."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from bench.client import Decoder
from bench.processes import Spawned, spawn, wait_ready

HOST = "127.0.0.1"


def post(host: str, port: int, path: str, body: object, headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of a JSON POST that accepts an event stream. Lower-case names: some servers compare them so."""
    data = msgspec.json.encode(body)
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {host}:{port}",
        "content-type: application/json",
        "accept: text/event-stream",
        f"content-length: {len(data)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


class Target:
    """A running thing that answers prompts. `home` is an empty folder of its own; `model_url` ends in `/v1`."""

    name: ClassVar[str]
    ready_path: ClassVar[str]
    ready_seconds: ClassVar[float] = 60.0
    host: str = HOST
    port: int

    def __init__(self, home: Path, model_url: str, cores: frozenset[int] | None) -> None:
        self.home = home
        self.model_url = model_url
        self.cores = cores
        self.spawned: Spawned | None = None

    async def install(self) -> None:
        """Make sure its software is there; prints what it does when that takes long."""

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        return {}

    def directory(self) -> Path | None:
        return None

    def request(self, prompt: str) -> bytes:
        raise NotImplementedError

    def decoder(self) -> Decoder:
        raise NotImplementedError

    async def start(self) -> None:
        """Start its processes on its cores and wait until it says that it is ready."""
        await self.install()
        self.spawned = spawn(
            self.command(),
            home=self.home,
            environment=self.environment(),
            where=self.cores,
            directory=self.directory(),
        )
        try:
            await wait_ready(self.spawned, self.host, self.port, self.ready_path, self.ready_seconds)
        except BaseException:
            self.stop()
            raise

    def pids(self) -> set[int]:
        return self.spawned.pids() if self.spawned else set()

    def stop(self) -> None:
        if self.spawned:
            self.spawned.stop()
            self.spawned = None


async def execute(command: Sequence[str], *, directory: Path, timeout: float) -> None:
    """Run an installer to its end; its output is shown only when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(timeout):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed\n{output.decode(errors='replace')[-2_000:]}")
