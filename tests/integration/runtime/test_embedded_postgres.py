import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from kit.runtime.embedded_postgres import EmbeddedPostgres
from kit.runtime.errors import StartError

PASSWORD = "a-password_1"


@pytest.fixture(params=["closed", "open"])
def directory(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder below one that only we may enter (as pytest's and root's own are), and one that all may pass."""
    above = Path(tempfile.mkdtemp())
    above.chmod(0o700 if request.param == "closed" else 0o755)
    yield above / "postgres"
    shutil.rmtree(above)


async def ask(dsn: str, sql: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_what_was_committed_is_there_after_a_kill(directory: Path) -> None:
    server = EmbeddedPostgres(directory, PASSWORD)
    await server.start()
    await ask(server.dsn, "CREATE TABLE t AS SELECT 42 AS x")
    assert await ask(server.dsn, "SHOW fsync") == "on"
    assert await ask(server.dsn, "SELECT lower('ЖÄ')") == "жä"

    await server.kill()
    await server.start()

    assert await ask(server.dsn, "SELECT x FROM t") == 42
    await server.stop()


async def test_a_wrong_password_is_refused(directory: Path) -> None:
    server = EmbeddedPostgres(directory, PASSWORD)
    await server.start()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(server.dsn.replace(PASSWORD, "wrong"), "SELECT 1")
    await server.stop()

    other = EmbeddedPostgres(directory, "forgotten")
    with pytest.raises(StartError, match="the password kept"):
        await other.start()


async def test_a_note_whose_process_id_belongs_to_somebody_else_now_is_ignored(directory: Path) -> None:
    server = EmbeddedPostgres(directory, PASSWORD)
    await server.start()
    await server.kill()
    note = directory / "data" / "postmaster.pid"
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    await server.start()
    await server.stop()


async def test_a_server_that_outlived_its_supervisor_is_stopped_first(directory: Path) -> None:
    forgotten = EmbeddedPostgres(directory, PASSWORD)
    await forgotten.start()
    await ask(forgotten.dsn, "CREATE TABLE t AS SELECT 42 AS x")

    server = EmbeddedPostgres(directory, PASSWORD)
    await server.start()
    assert await ask(server.dsn, "SELECT x FROM t") == 42
    await server.stop()
    await forgotten.stop()


async def test_an_initdb_that_was_cut_off_is_done_again(directory: Path) -> None:
    (directory / "data.new" / "base").mkdir(parents=True)
    (directory / "data").mkdir()
    server = EmbeddedPostgres(directory, PASSWORD)
    await server.start()
    assert await ask(server.dsn, "SELECT 1") == 1
    assert not (directory / "initdb-password").exists()
    await server.stop()


async def test_a_failed_start_says_what_postgres_said(directory: Path) -> None:
    server = EmbeddedPostgres(directory, PASSWORD)
    await server.start()
    await server.stop()
    (directory / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartError, match=r"postgres ended with exit code 1: .*database files are incompatible"):
        await server.start()
