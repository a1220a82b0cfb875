"""The product, started as anybody starts it on one machine: `python -m services up`, asked over its native API."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import msgspec

from bench.client import END, OTHER, RESTARTED, Decoder, Frame, Kind
from bench.processes import free_port
from bench.streams import StreamRecord
from bench.targets.base import HOST, Target, post

MODEL_ID = "bench"
MODELS = (MODEL_ID, *(f"{MODEL_ID}-{number}" for number in range(2, 9)))
"""The same model under several names: what is compared with itself."""
REPOSITORY = Path(__file__).parents[2]
PATH = "/v1/conversations/new/messages"
COMPARISONS = "/v1/comparisons"
_CURSOR = re.compile(rb"^id: *(\S+)", re.MULTILINE)
_RUN = re.compile(rb'"run_id":"([A-Za-z0-9_-]+)"')
SLOTS = 2_000
"""More generations at once than any scenario has; the default is meant for one machine's users."""


class Failure(msgspec.Struct):
    """Why a run failed."""

    code: str = ""
    message: str = ""


class Event(msgspec.Struct):
    """The parts of an event that matter here."""

    type: str
    text: str | None = ""
    error: Failure | None = None


def decoder() -> Decoder:
    events = msgspec.json.Decoder(Event)

    def decode(data: bytes) -> Frame:
        event = events.decode(data)
        if event.type == "generation.delta":
            return Frame(Kind.TEXT, event.text or "")
        if event.type == "generation.snapshot":
            return Frame(Kind.SNAPSHOT, event.text or "")
        if event.type == "run.completed":
            return END
        if event.type in ("run.failed", "run.cancelled"):
            return Frame(Kind.FAILED, f"{event.type} {event.error or ''}")
        return RESTARTED if event.type in ("generation.restarted", "reset") else OTHER

    return decode


class Place(NamedTuple):
    """Where a watcher is: what it needs to come back."""

    run_id: str
    cursor: str


def place_of(record: StreamRecord) -> Place | None:
    """Where the reader of a stream is; None before its first event."""
    run_id, cursor = _RUN.search(record.first_frame), _CURSOR.search(record.last_frame)
    return Place(run_id[1].decode(), cursor[1].decode()) if run_id and cursor else None


class Endpoint:
    """A product that runs already: what a test needs to put load on it."""

    def __init__(self, host: str, port: int, *, token: str | None = None, model: str = MODEL_ID) -> None:
        self.host = host
        self.port = port
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._model = model

    def request(self, prompt: str) -> bytes:
        body = {"content": prompt, "model": self._model}
        return post(self.host, self.port, PATH, body, self._headers)

    def compare(self, prompt: str, models: Sequence[str]) -> bytes:
        """The bytes of a request to ask several models the same."""
        body = {"prompt": prompt, "models": models}
        return post(self.host, self.port, COMPARISONS, body, self._headers)

    def follow(self, run_id: str, cursor: str | None) -> bytes:
        """The bytes of a request for the events of a run, from its start or after the cursor."""
        lines = [
            f"GET /v1/runs/{run_id}/events HTTP/1.1",
            f"host: {self.host}:{self.port}",
            "accept: text/event-stream",
            *([f"last-event-id: {cursor}"] if cursor else []),
            *(f"{name}: {value}" for name, value in self._headers.items()),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def decoder(self) -> Decoder:
        return decoder()


def catalogue(model_url: str) -> bytes:
    """A catalogue with the mock model and nothing else (JSON is YAML)."""
    model = {
        "provider": "bench",
        "model": "bench",
        "name": "Bench",
        "context_window": 100_000,
        "max_output_tokens": 100_000,
        "prices": {"input": 0, "output": 0},
        "capabilities": ["text"],
        "continuation": "restart",
    }
    models = [{"id": name, **model} for name in MODELS]
    return msgspec.json.encode({"providers": {"bench": {"kind": "openai", "base_url": model_url}}, "models": models})


class Product(Target):
    name = "product"
    module: ClassVar[str] = "services"
    ready_path = "/readyz"
    ready_seconds = 120.0

    def __init__(self, home: Path, model_url: str, cores: frozenset[int] | None) -> None:
        super().__init__(home, model_url, cores)
        self.port = free_port()
        self.endpoint = Endpoint(HOST, self.port)

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", self.module, "up"]

    def directory(self) -> Path | None:
        return REPOSITORY

    def environment(self) -> Mapping[str, str]:
        models = self.home / "models.yaml"
        models.write_bytes(catalogue(self.model_url))
        return {
            "STUDIO_DATA_DIR": str(self.home / "data"),
            "STUDIO_EDGE_PORT": str(self.port),
            "STUDIO_MODELS_FILE": str(models),
            "STUDIO_MODELS_OLLAMA_URL": "",
            "STUDIO_INFERENCE_SLOTS": str(SLOTS),
            "STUDIO_LOG_LEVEL": "WARNING",
        }

    def request(self, prompt: str) -> bytes:
        return self.endpoint.request(prompt)

    def decoder(self) -> Decoder:
        return self.endpoint.decoder()


class Unfenced(Product):
    """The product as it would be if it took no care of its log: what durability costs (`bench/unfenced.py`)."""

    name = "unfenced"
    module = "bench.unfenced"
