"""Everything together: NATS, Postgres, two of each service, and the counting model."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import nats

from kit.auth.principal import Principal
from kit.auth.tokens import Tokens
from kit.runtime.child import Child, ChildSpec
from kit.runtime.guard import Guard
from kit.runtime.ports import LOOPBACK, free_port
from kit.settings import AuthSettings
from services.commands.http_probe import status_of
from tests.chaos.cluster.catalogue import write_catalogue
from tests.chaos.cluster.member import Member
from tests.chaos.cluster.release import CURRENT, ROOT, Release
from tests.chaos.cluster.servers import make_postgres, nats_member, nats_nodes, postgres_member
from tests.chaos.cluster.services import INFRASTRUCTURE, REPLICAS, ServiceMember, command
from tests.chaos.model.record import Record

MIGRATE_SECONDS = 120.0
EDGES_SECONDS = 60.0
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 120.0  # more silence than the soak asks for
TENANT = "chaos"


class Cluster:
    """The running product. Everything of it, logs included, is in `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        nodes: int = 1,
        silence: float = 0,
        settings: dict[str, str] | None = None,
        release: Release = CURRENT,
    ) -> None:
        """`nodes`: NATS servers; `silence`: the longest that a model is going to make; `release`: what it begins as."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._release = folder, release
        self.nodes = nats_nodes(nodes, folder)
        postgres = make_postgres(folder)
        self._secret = secrets.token_hex(32)
        self._model_port = free_port()
        self.model_url = f"http://{LOOPBACK}:{self._model_port}"
        self.nats_urls = [node.url for node in self.nodes]
        catalogue = write_catalogue(folder / "models.yaml", self.model_url, silence + PATIENCE_SECONDS)
        environment = {
            "STUDIO_NATS_URL": ",".join(self.nats_urls),
            "STUDIO_NATS_REPLICAS": str(nodes),
            "STUDIO_DATABASE_URL": postgres.dsn,
            "STUDIO_DATABASE_SERVICE_PASSWORD": "service-password",
            "STUDIO_AUTH_MODE": "token",
            "STUDIO_AUTH_SECRET": self._secret,
            "STUDIO_MODELS_FILE": str(catalogue),
            "STUDIO_MODELS_OLLAMA_URL": "",
            **(settings or {}),
        }
        self._environment = environment
        self.members: dict[str, Sequence[Member]] = {
            "nats": [nats_member(node, number, folder) for number, node in enumerate(self.nodes, 1)],
            "postgres": [postgres_member(postgres, folder)],
        }
        self.edges: list[str] = []
        self.services: dict[str, list[ServiceMember]] = {
            each.service: [
                ServiceMember(each.service, number, environment | self._own(each.service), folder, release)
                for number in range(1, each.count + 1)
            ]
            for each in REPLICAS
        }
        self.members |= self.services
        self._model = Child(self._model_spec(), _append(folder / "model.log"))
        self._guard = Guard()
        for member in self.everybody():
            member.guard = self._guard
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self.record = Record(self.http, self.model_url)

    def everybody(self) -> list[Member]:
        """Every process that may be killed."""
        return [member for members in self.members.values() for member in members]

    def token(self, user: str, email: str | None = None) -> str:
        """A token for somebody."""
        tokens = Tokens(AuthSettings(mode="token", secret=self._secret))
        return tokens.sign(Principal(tenant=TENANT, user=user, email=email))

    async def leader(self) -> Member:
        """The NATS server that leads the run log; the only one where there is only one."""
        if len(self.nodes) == 1:
            return self.members["nats"][0]
        client = await nats.connect(self.nats_urls, connect_timeout=2)
        try:
            info = await client.jetstream().stream_info("RUNS")
        finally:
            await client.close()
        name = info.cluster.leader if info.cluster else None
        places = [number for number, node in enumerate(self.nodes) if node.server_name == name]
        return self.members["nats"][places[0] if places else 0]

    async def open(self) -> None:
        """Start everything, and wait until both edges serve."""
        servers = [*self.members["nats"], *self.members["postgres"]]
        await asyncio.gather(self._start_model(), *(member.open() for member in servers))
        assert await self.migrate(self._release) == 0, f"the migration failed; see {self.folder}/migrate.log"
        services = [member for members in self.services.values() for member in members if member.exists]
        await asyncio.gather(*(member.open() for member in services))
        await self.until_serving()

    async def migrate(self, release: Release = CURRENT) -> int:
        """Bring the database to what a release wants; its exit code. Raises TimeoutError."""
        spec = command("migrate", self._environment, "migrate", release=release)
        migrate = Child(spec, _append(self.folder / "migrate.log"))
        await migrate.spawn()
        try:
            async with asyncio.timeout(MIGRATE_SECONDS):
                return await migrate.wait()
        finally:
            await migrate.kill()

    async def until_serving(self) -> None:
        """Wait until every edge says that it can serve. Raises TimeoutError."""
        async with asyncio.timeout(EDGES_SECONDS):
            for edge in self.edges:
                while True:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        async with self.http.get(f"{edge}/readyz", timeout=aiohttp.ClientTimeout(2)) as answer:
                            if answer.status == 200:
                                break
                    await asyncio.sleep(POLL_SECONDS)

    async def close(self) -> None:
        """Stop everything, what others need last."""
        await self.http.close()
        services = [member for kind in self.members if kind not in INFRASTRUCTURE for member in self.members[kind]]
        await asyncio.gather(*(member.close() for member in services), return_exceptions=True)
        servers = [member for kind in INFRASTRUCTURE for member in self.members[kind]]
        await asyncio.gather(*(member.close() for member in servers), return_exceptions=True)
        await self._model.kill()
        self._guard.close()

    async def _start_model(self) -> None:
        await self._model.spawn()
        await self._model.until_ready()

    def _model_spec(self) -> ChildSpec:
        async def answers() -> bool:
            with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
                return await status_of(LOOPBACK, self._model_port, "/v1/models") == 200
            return False

        words = (sys.executable, "-m", "tests.chaos.model.server", "--port", str(self._model_port))
        return ChildSpec(name="model", command=words, env={"PYTHONPATH": str(ROOT)}, probe=answers)

    def _own(self, service: str) -> dict[str, str]:
        """The settings of one process alone."""
        if service != "edge":
            return {}
        port = free_port()
        self.edges.append(f"http://{LOOPBACK}:{port}")
        return {"STUDIO_EDGE_PORT": str(port)}


def _append(path: Path) -> Callable[[str], None]:
    def write(line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(line.rstrip("\n") + "\n")

    return write


@contextlib.asynccontextmanager
async def running_cluster(folder: Path, **options: Any) -> AsyncIterator[Cluster]:
    """A cluster, whatever happens stopped at the end."""
    cluster = Cluster(folder, **options)
    try:
        await cluster.open()
        yield cluster
    finally:
        await cluster.close()
