"""`up`: the whole product on this machine, with one command and without Docker."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable

from kit.runtime.datadir import DataDirectory
from kit.runtime.errors import StartError
from kit.runtime.output import Terminal
from kit.runtime.ports import free_port, port_is_free
from kit.settings import Settings
from services.commands.settings import load_settings
from services.commands.stack import LocalStack

LAUNCHER_VARIABLE = "STUDIO_LAUNCHER"  # set by the script `studio`: how it was called
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up() -> None:
    """Start everything: NATS, Postgres, all services. Ctrl-C stops everything; the data stays."""
    settings = load_settings()
    data = DataDirectory(settings.data_dir)
    data.create()
    lock = data.lock()
    terminal = Terminal()
    try:
        data.clear_state()
        port = _edge_port(settings)
        asyncio.run(_up(settings, data, lock, port, terminal))
    except OSError as error:
        raise StartError(f"{error.strerror or error}: {error.filename or data.path}") from None
    finally:
        terminal.close()
        os.close(lock)


async def _up(settings: Settings, data: DataDirectory, lock: int, port: int, terminal: Terminal) -> None:
    def say(text: str) -> None:
        terminal.write(f"{'studio':>9} | {text}")

    def show(name: str, line: str) -> None:
        terminal.write(f"{name:>9} | {line}")

    stack = LocalStack(settings, data, lock=lock, edge_port=port, say=say, show=show)
    asked = _on_stop_signals(say, stack)
    starting, stopping = asyncio.create_task(stack.start()), asyncio.create_task(asked.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            for line in welcome(stack.url, settings):
                terminal.write(line)  # without a prefix: made to be pasted
            await stopping
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await stack.stop()
    say("everything has stopped; the data is kept")


def _on_stop_signals(say: Callable[[str], None], stack: LocalStack) -> asyncio.Event:
    """The first Ctrl-C stops everything in order, the second at once."""
    asked = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()

    def on_signal() -> None:
        if not asked.is_set():
            say("stopping everything (once more: at once)")
            asked.set()
        else:
            tasks.add(asyncio.create_task(stack.kill()))

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return asked


def _edge_port(settings: Settings) -> int:
    host, port = settings.edge.host, settings.edge.port
    try:
        if port == 0:
            return free_port(host)
        if port_is_free(port, host):
            return port
    except OSError as error:
        raise StartError(
            f"cannot listen on {host}:{port}: {error.strerror}; check STUDIO_EDGE_HOST and STUDIO_EDGE_PORT"
        ) from None
    raise StartError(
        f"port {port} on {host} is used by another program; "
        f"stop it, or choose another port, for example STUDIO_EDGE_PORT={port + 1}"
    )


def welcome(url: str, settings: Settings) -> list[str]:
    """What to do next, ready to paste."""
    studio = os.environ.get(LAUNCHER_VARIABLE) or f"{shlex.quote(sys.executable)} -m services"
    token = ["-H 'Authorization: Bearer TOKEN'"] if settings.auth.mode == "token" else []
    curl = [
        f"curl -N {url}/v1/conversations/new/messages",
        "-H 'Content-Type: application/json' -H 'Accept: text/event-stream'",
        *token,
        """-d '{"content": "Hello"}'""",
    ]
    hints = [f"AI Studio is at {url}   (Ctrl-C stops it)", "", " ".join(curl), f'{studio} ask "Hello"']
    return hints + ([f"{studio} token USER   # prints a TOKEN"] if token else []) + [""]


command = up
