"""The model server as a process of its own, as the load tests and the measurements need it."""

import sys
from pathlib import Path

from bench.processes import Spawned, free_port, spawn, wait_ready
from bench.targets.base import HOST

READY_SECONDS = 15.0


async def start_model(home: Path, where: frozenset[int] | None = None) -> tuple[Spawned, int]:
    """Start a model server with its log in `home`; returns it with its port once it answers."""
    port = free_port()
    command = [sys.executable, "-m", "bench.model_server", "--port", str(port)]
    model = spawn(command, home=home, environment={}, where=where, directory=Path(__file__).parents[1])
    try:
        await wait_ready(model, HOST, port, "/v1/models", READY_SECONDS)
    except BaseException:
        model.stop()
        raise
    return model, port
