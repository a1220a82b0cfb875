"""The Vercel AI SDK behind node:http, as an application would use it (`bench/peers/aisdk/server.mjs`)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.client import END, OTHER, Decoder, Frame, Kind
from bench.processes import free_port
from bench.targets.base import Target, execute, post

FOLDER = Path(__file__).parents[1] / "peers" / "aisdk"
INSTALL_SECONDS = 300.0
DONE = b"[DONE]"


class Part(msgspec.Struct):
    """A part of a UI message stream."""

    type: str
    delta: str = ""
    errorText: str = ""  # noqa: N815 - its name on the wire


def decoder() -> Decoder:
    parts = msgspec.json.Decoder(Part)

    def decode(data: bytes) -> Frame:
        if data == DONE:
            return END
        part = parts.decode(data)
        if part.type == "text-delta":
            return Frame(Kind.TEXT, part.delta)
        return Frame(Kind.FAILED, part.errorText) if part.type == "error" else OTHER

    return decode


class AiSdk(Target):
    name = "aisdk"
    ready_path = "/healthz"

    def __init__(self, home: Path, model_url: str, cores: frozenset[int] | None) -> None:
        super().__init__(home, model_url, cores)
        self.port = free_port()

    async def install(self) -> None:
        if (FOLDER / "node_modules" / ".package-lock.json").exists():
            return
        print("  installing the AI SDK with npm ci (once) …", flush=True)
        await execute(["npm", "ci", "--no-audit", "--no-fund"], directory=FOLDER, timeout=INSTALL_SECONDS)

    def command(self) -> Sequence[str]:
        return ["node", str(FOLDER / "server.mjs")]

    def directory(self) -> Path | None:
        return FOLDER

    def environment(self) -> Mapping[str, str]:
        return {"PORT": str(self.port), "MODEL_URL": self.model_url, "NODE_ENV": "production"}

    def request(self, prompt: str) -> bytes:
        message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": prompt}]}
        return post(self.host, self.port, "/api/chat", {"id": "bench", "messages": [message]})

    def decoder(self) -> Decoder:
        return decoder()
