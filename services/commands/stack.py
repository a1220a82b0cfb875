"""The whole product on one machine: real servers from wheels, every service as its own process."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from kit.runtime.child import Child, ChildSpec, describe
from kit.runtime.datadir import DataDirectory, State
from kit.runtime.embedded_nats import EmbeddedNats
from kit.runtime.embedded_postgres import EmbeddedPostgres
from kit.runtime.errors import StartError
from kit.runtime.guard import Guard
from kit.runtime.output import RECORD_LINE_END, LogFile
from kit.runtime.process import stop_seconds
from kit.runtime.supervisor import Supervisor
from kit.settings import Settings
from services.commands.http_probe import status_of
from services.roster import ROSTER, ServiceSpec

MIGRATE_SECONDS = 120.0
READY_SECONDS = 30.0  # from "all services run" to `GET /readyz` answers 200
STOP_MARGIN_SECONDS = 2.0  # on top of a service's own deadline
POLL_SECONDS = 0.025

ENTRY = ("-m", "services")  # what our Python is asked to run; tests put their own services here
_ROOT = Path(__file__).resolve().parents[2]


class LocalStack:
    """Starts, keeps and stops everything in one data directory. The caller holds the directory's lock."""

    def __init__(
        self,
        settings: Settings,
        data: DataDirectory,
        *,
        lock: int,
        edge_port: int,
        say: Callable[[str], None],
        show: Callable[[str, str], None],
        services: tuple[ServiceSpec, ...] = ROSTER,
    ) -> None:
        """`say` gets our own lines, `show` a child's name and line."""
        self._settings, self._data, self._say, self._show, self._services = settings, data, say, show, services
        self._began = time.monotonic()
        self._port = edge_port
        self._logs: dict[str, LogFile] = {}
        self._nats = EmbeddedNats(data.path / "nats", port=data.port("nats"))
        self._postgres = EmbeddedPostgres(data.path / "postgres", data.secret("postgres"), port=data.port("postgres"))
        host = settings.edge.host
        self.url = f"http://{_address(host)}:{edge_port}"
        self._state = State(pid=os.getpid(), url=self.url, nats_url=self._nats.url, dsn=self._postgres.dsn)
        self._environment = self._make_environment()
        self._stop_seconds = stop_seconds(settings) + STOP_MARGIN_SECONDS
        self._supervisor = Supervisor(
            guard=Guard(keep_open=(lock,), grace_seconds=self._stop_seconds),
            say=say,
            on_line=self._on_line,
            on_change=self._write_state,
        )

    async def start(self) -> None:
        """Start everything and return when the edge is ready. Raises StartError."""
        self._write_state()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_nats())
                group.create_task(self._start_postgres())
                group.create_task(self._migrate())  # loads its libraries meanwhile, then waits for the database
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        await self._supervisor.start(*(self._service(spec) for spec in self._services))
        self._step(f"{', '.join(spec.name for spec in self._services)} run")
        await self._until_ready()
        self._state.ready = True
        self._write_state()
        self._step("ready")

    async def stop(self) -> None:
        """Stop everything, services first, and leave the data."""
        await self._supervisor.stop()
        self._data.clear_state()
        for log in self._logs.values():
            log.close()

    async def kill(self) -> None:
        """Stop everything now."""
        await self._supervisor.kill()

    async def _start_nats(self) -> None:
        await self._supervisor.start(self._nats.spec())
        self._step(f"NATS runs on port {self._nats.port}")

    async def _start_postgres(self) -> None:
        await self._supervisor.start(await self._postgres.prepare())
        self._step(f"Postgres runs on port {self._postgres.port}")

    async def _migrate(self) -> None:
        spec = self._command("migrate", "migrate")
        child = Child(spec, lambda line: self._on_line(spec, line))
        await child.spawn()
        try:
            async with asyncio.timeout(MIGRATE_SECONDS):
                code = await child.wait()
        except TimeoutError:
            raise StartError(f"the migrations have not finished after {MIGRATE_SECONDS:.0f} s") from None
        finally:
            await child.kill()
        if code != 0:
            raise StartError(f"migrate {describe(code)}{child.reason()}")
        self._step("the database is up to date")

    async def _until_ready(self) -> None:
        status = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while status != 200:
                    with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
                        status = await status_of(_address(self._settings.edge.host).strip("[]"), self._port, "/readyz")
                    await asyncio.sleep(POLL_SECONDS)
        if status != 200:
            answer = f"HTTP {status}" if status else "nothing"
            raise StartError(
                f"{self.url}/readyz answers {answer} after {READY_SECONDS:.0f} s; see {self._data.path}/logs"
            )

    def _service(self, spec: ServiceSpec) -> ChildSpec:
        return self._command(spec.name, "run", spec.name)

    def _command(self, name: str, *arguments: str) -> ChildSpec:
        command = (sys.executable, *ENTRY, *arguments)
        return ChildSpec(name=name, command=command, env=self._environment, stop_seconds=self._stop_seconds)

    def _make_environment(self) -> dict[str, str]:
        secret = self._settings.auth.secret.get_secret_value() or self._data.secret("auth")
        path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
        return {
            "PYTHONPATH": path,
            "PYTHONUNBUFFERED": "1",
            "STUDIO_DATA_DIR": str(self._data.path),
            "STUDIO_NATS_URL": self._nats.url,
            "STUDIO_DATABASE_URL": self._postgres.dsn,
            "STUDIO_DATABASE_SERVICE_PASSWORD": self._data.secret("services"),
            "STUDIO_AUTH_SECRET": secret,
            "STUDIO_EDGE_PORT": str(self._port),
            "STUDIO_PUBLIC_URL": self._settings.public_url or self.url,
        }

    def _step(self, text: str) -> None:
        self._say(f"[{time.monotonic() - self._began:4.1f} s] {text}")

    def _on_line(self, spec: ChildSpec, line: str) -> None:
        if spec.name not in self._logs:
            self._logs[spec.name] = LogFile(self._data.path / "logs" / f"{spec.name}.log")
        self._logs[spec.name].write(line)
        if spec.shows(line):
            first, more, _ = line.partition(RECORD_LINE_END)
            self._show(spec.name, f"{first} (more in logs/{spec.name}.log)" if more else line)

    def _write_state(self) -> None:
        self._state.pids = self._supervisor.pids
        with contextlib.suppress(OSError):  # a full disk must not stop what runs
            self._data.write_state(self._state)


def _address(host: str) -> str:
    """Where a client on this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "", "::"):  # noqa: S104 - it is compared, not bound
        return "127.0.0.1" if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host
