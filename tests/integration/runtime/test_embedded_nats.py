import os
import stat
from pathlib import Path

import nats
import pytest

from kit.runtime import embedded_nats
from kit.runtime.embedded_nats import EmbeddedNats
from kit.runtime.errors import StartError


async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path)
    await server.start()
    client = await nats.connect(server.url)
    await client.jetstream().add_stream(name="S", subjects=["s.>"])
    await client.jetstream().publish("s.a", b"kept")
    await client.close()

    await server.kill()
    await server.start()

    client = await nats.connect(server.url)
    message = await client.jetstream().get_msg("S", seq=1)
    assert message.data == b"kept"
    await client.close()
    await server.stop()


async def test_it_listens_on_loopback_only_and_closes_its_folder(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path / "nats")
    await server.start()
    config = (tmp_path / "nats" / "nats-server.conf").read_text()
    assert f'listen: "127.0.0.1:{server.port}"' in config
    assert stat.S_IMODE((tmp_path / "nats").stat().st_mode) == 0o700
    await server.stop()


async def test_an_old_server_is_refused_and_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_nats, "OLDEST_VERSION", (99, 0))
    server = EmbeddedNats(tmp_path)
    with pytest.raises(StartError, match=r"too old, 99\.0 or newer is needed"):
        await server.start()
    with pytest.raises(ConnectionRefusedError):
        await embedded_nats._ping(server.port)


async def test_another_server_on_our_port_is_not_taken_for_ours(tmp_path: Path) -> None:
    first = EmbeddedNats(tmp_path / "a")
    await first.start()
    second = EmbeddedNats(tmp_path / "b", port=first.port)
    with pytest.raises(StartError, match=r"used by another program|address already in use"):
        await second.start()
    await first.stop()


async def test_no_program_is_a_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_nats.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    with pytest.raises(StartError, match="pip install"):
        await EmbeddedNats(tmp_path).start()
