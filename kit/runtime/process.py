"""Runs one service as a process: signals, readiness, a bounded stop, and an exit code that can be believed."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from kit.runtime.child import READY_FD_VARIABLE, READY_WORD
from kit.runtime.errors import StartError
from kit.runtime.logging import configure
from kit.runtime.service import Service
from kit.settings import Settings
from kit.telemetry.setup import start_telemetry, stop_telemetry

START_SECONDS = 60.0
STOP_MARGIN_SECONDS = 4.0  # on top of the longest drain: closing connections
GOOD, FAILED = 0, 1
GC_ALLOCATIONS = 20_000  # between two looks for garbage; reference counting frees nearly everything at once

logger = logging.getLogger(__name__)


def run(name: str, build: Callable[[Settings], Service], settings: Settings) -> int:
    """Run one service until it is told to stop or fails; returns the exit code."""
    configure(name, settings.log_level, _secrets(settings))
    start_telemetry(name, settings.metrics_log)
    try:
        return _run_loop(serve(name, build, settings))
    finally:
        stop_telemetry()


async def serve(name: str, build: Callable[[Settings], Service], settings: Settings) -> int:
    """Start, say so, wait for SIGTERM, SIGINT or the service's own end, stop. Returns the exit code, never raises.

    We own the signals: a library that installs handlers of its own (uvicorn does, and re-raises the signal when it
    returns) must be told not to, or it takes the other tasks of the process with it.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        service = build(settings)
        code = await _run_until(stop, name, service, stop_seconds(settings))
    except Exception as error:
        code = _report(f"{name} could not be built", error)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return code


def stop_seconds(settings: Settings) -> float:
    """How long a service may take to stop: its drain and a margin. A supervisor waits a little longer."""
    drains = (settings.edge.drain_seconds, settings.inference.drain_seconds, settings.notifier.drain_seconds)
    return max(drains) + STOP_MARGIN_SECONDS


def notify_ready() -> None:
    """Tell the supervisor, if there is one, that we can work now. Says it once."""
    descriptor = os.environ.pop(READY_FD_VARIABLE, None)
    if descriptor is None:
        return
    with contextlib.suppress(OSError, ValueError):
        os.write(int(descriptor), READY_WORD)
        os.close(int(descriptor))


async def _run_until(stop: asyncio.Event, name: str, service: Service, seconds_to_stop: float) -> int:
    code = GOOD
    stopping = asyncio.create_task(stop.wait())
    try:
        if await _first(stopping, service.start(), START_SECONDS):
            _settle_memory()
            logger.info("%s is ready (pid %d)", name, os.getpid())
            notify_ready()
            if await _first(stopping, service.wait(), None):
                logger.error("%s ended by itself", name)
                code = FAILED
    except TimeoutError as error:
        code = _report(f"{name} did not start within {START_SECONDS:.0f} s", error)
    except Exception as error:
        code = _report(f"{name} failed", error)
    stopping.cancel()
    return await _stop(name, service, seconds_to_stop) or code


def _settle_memory() -> None:
    """What is loaded by now stays: the garbage collector need not walk it again, nor run for every 700 objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS)


async def _first(stopping: asyncio.Task[Any], work: Coroutine[Any, Any, None], seconds: float | None) -> bool:
    """Whether `work` ended (True) before the stop signal (False: it is cancelled). Raises what it raises."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({stopping, task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
        return True
    task.cancel()
    await asyncio.wait({task}, timeout=STOP_MARGIN_SECONDS)
    if stopping.done():
        return False
    raise TimeoutError


async def _stop(name: str, service: Service, seconds: float) -> int:
    try:
        async with asyncio.timeout(seconds):
            await service.stop()
    except TimeoutError as error:
        return _report(f"{name} did not stop within {seconds:.0f} s", error)
    except Exception as error:
        return _report(f"{name} did not stop cleanly", error)
    logger.info("%s has stopped", name)
    return GOOD


def _report(what: str, error: Exception) -> int:
    """One clear line; the traceback only for those who ask for it, or when the error is not meant for people."""
    expected = isinstance(error, StartError | OSError | TimeoutError)
    detail = str(error) if expected else f"{type(error).__name__}: {error}"
    text = f"{what}: {detail}" if detail else what
    logger.error(text, exc_info=error if not expected or logger.isEnabledFor(logging.DEBUG) else None)
    return FAILED


def _run_loop(main: Coroutine[Any, Any, int]) -> int:
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _secrets(settings: Settings) -> tuple[str, ...]:
    kept = (settings.auth.secret, settings.database.service_password, settings.nats.nkey)
    return tuple(secret.get_secret_value() for secret in kept)
