"""The stack that all clients meet: a scripted model, and two edges behind proxies that cut connections.

It shares nothing with other tests, so that its edges may be killed.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import httpx

from kit.runtime.ports import free_port
from tests.clients.scripted_model import Script, ScriptedModel
from tests.fixtures.cutting_proxy import CuttingProxy, cutting_proxy
from tests.fixtures.model_server import ModelServer
from tests.fixtures.own_servers import own_stack
from tests.fixtures.polling import until
from tests.fixtures.servers import Servers
from tests.fixtures.stack import Process, Stack

MODEL = "mock"
TEXT = "".join(
    f"{n}: Grüße aus Köln 🌊, naïve 日本語 \u2028 “quoted” \\ {{}} {'and so on ' * (n % 3)}\n" for n in range(1, 41)
)
"""What the model says: long enough to be cut often, with characters of every width."""


class Lab:
    """What a test needs."""

    def __init__(self, stack: Stack, model: ScriptedModel) -> None:
        self.stack, self.model = stack, model
        self.url = ""
        """The second edge, which nobody kills, over connections that are not cut; the first if it is away."""
        port = free_port()
        second = Process("edge", {**stack.environment, "STUDIO_EDGE_PORT": str(port)}, stack.folder / "edge-2.log")
        self._edges = {stack.port: stack.processes["edge"], port: second}

    async def start(self) -> None:
        """Start the second edge; the stack runs."""
        port = list(self._edges)[1]
        await self._edges[port].start()
        await self.ready(port)

    async def stop(self) -> None:
        """Stop the second edge."""
        await list(self._edges.values())[1].stop()

    def prompt(self, text: str = TEXT, **script: Any) -> str:
        """A prompt to which the model says this text."""
        return self.model.prompt(Script(text, **script))

    def proxy(
        self, *, seed: int = 0, cuts: int = 0, least: int = 1, most: int = 4000, in_turn: bool = True
    ) -> AbstractAsyncContextManager[CuttingProxy]:
        """A way to both edges, in turn or to the first as long as it is there, that cuts `cuts` connections."""
        return cutting_proxy(list(self._edges), seed=seed, cuts=cuts, least=least, most=most, in_turn=in_turn)

    def calm(self) -> AbstractAsyncContextManager[CuttingProxy]:
        """A way to the second edge that cuts nothing."""
        return cutting_proxy(list(reversed(self._edges)), in_turn=False)

    async def kill_edge(self, port: int) -> None:
        """SIGKILL the edge on this port, while the other is there to go on, and start it again."""
        await self.ready(*(other for other in self._edges if other != port))
        await self._edges[port].kill()
        await self._edges[port].start()

    async def kill_the_edge_of(self, proxy: CuttingProxy, script: Script, *, said: int = 60) -> None:
        """Wait until so many pieces were said, then kill the edge that tells them."""

        async def under_way() -> bool:
            return script.said >= said and bool(proxy.open)

        await until(under_way)
        await self.kill_edge(proxy.open[-1])

    async def ready(self, *ports: int) -> None:
        """Wait for these edges; without ports, for both."""
        async with httpx.AsyncClient(trust_env=False) as http:
            for port in ports or self._edges:

                async def ready(port: int = port) -> bool:
                    with contextlib.suppress(httpx.HTTPError):
                        return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
                    return False

                await until(ready)


@contextlib.asynccontextmanager
async def open_lab(servers: Servers, folder: Path) -> AsyncIterator[Lab]:
    """Start everything."""
    model = ScriptedModel()
    await model.start()
    try:
        async with own_stack(servers, folder, cast(ModelServer, model)) as stack:
            lab = Lab(stack, model)
            await lab.start()
            try:
                async with lab.calm() as proxy:
                    lab.url = proxy.url
                    yield lab
            finally:
                await lab.stop()
    finally:
        await model.stop()
