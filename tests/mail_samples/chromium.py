"""A headless Chromium, driven by its own protocol: pages as pictures, and what is wrong with them."""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from tests.fixtures.polling import until

CALL_SECONDS = 30.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server")
ALONE = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars")

LOOK = """(() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (color) => channels(color).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor, parts = channels(color);
      if (parts.length < 4 || parts[3] > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement, box = node.getBoundingClientRect();
    if (!texts.currentNode.data.trim() || !box.width || node.closest(".hidden")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)}: ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  const width = document.documentElement.clientWidth;
  const wide = [...document.body.querySelectorAll("*")]
    .filter((node) => node.getBoundingClientRect().right > width + 0.5 || node.scrollWidth > node.clientWidth + 1
      && node.clientWidth && getComputedStyle(node).display !== "inline" && !node.closest(".hidden"))
    .map((node) => `${node.tagName} ${node.className}`);
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  return { faint, wide, loaded, height: document.documentElement.scrollHeight };
})()"""


def chromium_or_none() -> str | None:
    """Where a Chromium is."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a browser that runs."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the page for something."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(CALL_SECONDS):
            while True:
                told = await self._socket.receive_json()
                if told.get("id") == number:
                    assert "error" not in told, told
                    return told["result"]

    async def show(self, page: Path, *, width: int, scheme: str, scale: float = 1) -> dict[str, Any]:
        """Open a page and say what is faint, too wide or loaded from elsewhere, and how high it is."""
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        screen = {"width": width, "height": 100, "deviceScaleFactor": scale, "mobile": width < 500}
        await self.call("Emulation.setDeviceMetricsOverride", **screen)
        await self.call("Page.navigate", url=page.as_uri())
        await until(partial(self._is_at, page.as_uri()))
        return json.loads(await self._value(f"JSON.stringify({LOOK})"))

    async def _is_at(self, address: str) -> bool:
        return await self._value("document.readyState + location.href") == f"complete{address}"

    async def picture(self, width: int, height: int) -> bytes:
        """What is shown, as a PNG."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        told = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(told["data"])

    async def _value(self, expression: str) -> Any:
        return (await self.call("Runtime.evaluate", expression=expression, returnByValue=True))["result"].get("value")


async def _port(told: Path) -> str:
    lines = await asyncio.to_thread(lambda: told.read_text() if told.exists() else "")
    return lines.partition("\n")[0] if "\n" in lines else ""


@asynccontextmanager
async def browser(binary: str) -> AsyncIterator[Browser]:
    """A browser of our own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(binary, *QUIET, *ALONE, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            port = await until(partial(_port, Path(profile, "DevToolsActivePort")))
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Browser(socket)
        finally:
            process.terminate()
            await process.wait()
