"""What the models of an Ollama can do: asked once for each version of each, because its list does not tell."""

import asyncio
from collections.abc import Iterable

import aiohttp
import msgspec

from services.inference.cards import Capability

MAX_BODY_BYTES = 4 * 1024 * 1024  # the answer has the model's licence and template in it
AT_ONCE = 8

WORDS: dict[str, Capability] = {"vision": "vision", "tools": "tools", "thinking": "reasoning"}
"""Ollama's words and ours (github.com/ollama/ollama/blob/main/docs/api.md, "Show Model Information")."""

Version = tuple[str, str]
"""A model's name and the digest of what it is made of."""


class _Shown(msgspec.Struct):
    capabilities: list[str] | None = None


class OllamaAbilities:
    """Remembers what was told. A model that could not be asked about can do nothing but write, until it can be."""

    def __init__(self) -> None:
        self._known: dict[Version, tuple[Capability, ...]] = {}

    def of(self, version: Version) -> tuple[Capability, ...]:
        """What this model can do."""
        return self._known.get(version, ("text",))

    async def look(self, url: str, versions: Iterable[Version], timeout_seconds: float) -> None:
        """Ask about those that are not known yet, for at most so long. Never raises."""
        listed = set(versions)
        self._known = {version: known for version, known in self._known.items() if version in listed}
        gate = asyncio.Semaphore(AT_ONCE)
        try:
            async with asyncio.timeout(timeout_seconds), aiohttp.ClientSession() as session:
                await asyncio.gather(*(self._ask(session, url, new, gate) for new in listed - self._known.keys()))
        except TimeoutError:
            pass

    async def _ask(self, session: aiohttp.ClientSession, url: str, version: Version, gate: asyncio.Semaphore) -> None:
        try:
            async with (
                gate,
                session.post(f"{url}/api/show", json={"model": version[0]}, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    return
                body = await response.content.read(MAX_BODY_BYTES)
                while not response.content.at_eof() and len(body) < MAX_BODY_BYTES:
                    body += await response.content.read(MAX_BODY_BYTES - len(body))
            told = msgspec.json.decode(body, type=_Shown).capabilities or ()
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError):
            return
        self._known[version] = ("text", *(ours for theirs, ours in WORDS.items() if theirs in told))
