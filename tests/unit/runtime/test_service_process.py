import asyncio
import logging
import os
import signal
from collections.abc import Callable

import pytest

from kit.runtime import process
from kit.runtime.errors import StartError
from kit.settings import Settings


class Fake:
    def __init__(self) -> None:
        self.calls: list[str] = []
        self.on_start: Callable[[], object] = lambda: None
        self.on_wait: Callable[[], object] = lambda: None
        self.on_stop: Callable[[], object] = lambda: None

    async def start(self) -> None:
        self.calls.append("start")
        self.on_start()

    async def wait(self) -> None:
        self.calls.append("wait")
        self.on_wait()
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.calls.append("stop")
        self.on_stop()


def raiser(error: Exception) -> Callable[[], object]:
    def call() -> None:
        raise error

    return call


async def serve(fake: Fake) -> int:
    return await process.serve("fake", lambda settings: fake, Settings())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    fake = Fake()
    fake.on_wait = lambda: os.kill(os.getpid(), number)
    assert await serve(fake) == 0
    assert fake.calls == ["start", "wait", "stop"]


async def test_a_signal_during_the_start_stops_it_cleanly() -> None:
    fake = Fake()

    async def start() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()

    fake.start = start  # type: ignore[method-assign]
    assert await serve(fake) == 0
    assert fake.calls == ["stop"]


async def test_a_failed_start_is_one_line_and_closes_what_was_opened(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake()
    fake.on_start = raiser(StartError("no NATS; start it"))
    assert await serve(fake) == 1
    assert fake.calls == ["start", "stop"]
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == "fake failed: no NATS; start it"
    assert record.exc_info is None


async def test_a_service_that_can_no_longer_work_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    fake = Fake()
    fake.on_wait = raiser(RuntimeError("the loop died"))
    assert await serve(fake) == 1
    assert fake.calls == ["start", "wait", "stop"]
    assert "RuntimeError: the loop died" in caplog.text


async def test_a_builder_that_fails_is_a_failed_start(caplog: pytest.LogCaptureFixture) -> None:
    def build(settings: Settings) -> Fake:
        raise ImportError("no module")

    assert await process.serve("fake", build, Settings()) == 1
    assert "fake could not be built: ImportError: no module" in caplog.text


async def test_a_stop_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(process, "stop_seconds", lambda settings: 0.05)
    fake = Fake()
    fake.on_wait = lambda: os.kill(os.getpid(), signal.SIGTERM)

    async def stop() -> None:
        await asyncio.Event().wait()

    fake.stop = stop  # type: ignore[method-assign]
    assert await serve(fake) == 1
    assert "did not stop within" in caplog.text


async def test_the_supervisor_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv("STUDIO_READY_FD", str(writing))
    fake = Fake()
    fake.on_wait = lambda: os.kill(os.getpid(), signal.SIGTERM)
    assert await serve(fake) == 0
    assert os.read(reading, 100) == b"ready\n"
    assert os.read(reading, 100) == b""  # closed: it is not passed on to anybody
    assert "STUDIO_READY_FD" not in os.environ
    os.close(reading)
