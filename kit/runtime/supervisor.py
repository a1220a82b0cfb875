"""Keeps a set of child processes running, and leaves none behind (docs/adr/0004-own-supervisor.md).

Children are started in stages: the members of a stage at the same time, the next stage when all are ready. Stages are
stopped in the opposite order. A child that ends is started again with a growing pause, for as long as we run.
"""

import asyncio
from collections.abc import Callable

from kit.runtime.child import Child, ChildSpec, describe
from kit.runtime.errors import StartError
from kit.runtime.guard import Guard

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 10.0
STABLE_SECONDS = 30.0  # a child that ran this long has earned a short pause again


class Supervisor:
    """Owns the children. `say` gets a line whenever something happens, `on_line` each line a child prints."""

    def __init__(
        self,
        *,
        guard: Guard,
        say: Callable[[str], None],
        on_line: Callable[[ChildSpec, str], None] = lambda spec, line: None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_change` is called when the set of process ids has changed."""
        self._guard = guard
        self._say = say
        self._on_line = on_line
        self._on_change = on_change
        self._stages: list[list[str]] = []
        self._children: dict[str, Child] = {}
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process id of every child that is running or was last seen running."""
        return {name: child.pid for name, child in self._children.items()}

    async def start(self, *specs: ChildSpec) -> None:
        """Start one stage and wait until all its members are ready. Raises StartError for the first that fails."""
        self._stages.append([spec.name for spec in specs])
        try:
            async with asyncio.TaskGroup() as group:
                for spec in specs:
                    group.create_task(self._first_start(spec))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        self._keepers += [asyncio.create_task(self._keep(spec)) for spec in specs]

    async def stop(self) -> None:
        """Stop everything, the last stage first, the members of a stage together."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for stage in reversed(self._stages):
            children = [self._children[name] for name in stage if name in self._children]
            await asyncio.gather(*(child.stop() for child in children))
            for child in children:
                self._guard.remove(child.pid)
                del self._children[child.spec.name]
        self._guard.close()

    async def kill(self) -> None:
        """SIGKILL to everybody: the second Ctrl-C."""
        await asyncio.gather(*(child.kill() for child in self._children.values()))

    async def _first_start(self, spec: ChildSpec) -> None:
        for attempt in range(1, spec.tries + 1):
            try:
                await self._start(spec)
            except StartError:
                if attempt == spec.tries:
                    raise
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
            else:
                return

    async def _start(self, spec: ChildSpec) -> None:
        child = Child(spec, lambda line: self._on_line(spec, line))
        spawning = asyncio.create_task(self._spawn(child))
        try:
            # Not to be cancelled half-way: a process that nobody knows of would be left behind.
            await asyncio.shield(spawning)
            await child.until_ready()
        except BaseException:
            await spawning  # raises, and is done here, when there is no process
            await child.kill()
            self._guard.remove(child.pid)
            self._children.pop(spec.name, None)
            raise

    async def _spawn(self, child: Child) -> None:
        await child.spawn()
        self._children[child.spec.name] = child
        self._guard.add(child.pid, child.spec.stop_signal)
        self._on_change()

    async def _keep(self, spec: ChildSpec) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            started = loop.time()
            child = self._children[spec.name]
            code = await child.wait()
            await child.kill()  # whatever it had started itself
            self._guard.remove(child.pid)
            if loop.time() - started > STABLE_SECONDS:
                failures = 0
            reason = describe(code)
            while True:
                pause = min(FIRST_PAUSE_SECONDS * 2**failures, LONGEST_PAUSE_SECONDS)
                failures += 1
                self._say(f"{spec.name} {reason}; starting it again in {pause:.1f} s")
                await asyncio.sleep(pause)
                try:
                    await self._start(spec)
                except (StartError, OSError) as error:
                    reason = f"did not come back ({error})"
                else:
                    break
            self._say(f"{spec.name} is back (pid {self._children[spec.name].pid})")
