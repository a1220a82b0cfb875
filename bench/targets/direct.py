"""The model server with nothing in between: what the machine and the load client themselves cost."""

from pathlib import Path
from urllib.parse import urlsplit

from bench.client import Decoder
from bench.targets import openai
from bench.targets.base import Target, post


class Direct(Target):
    name = "direct"

    def __init__(self, home: Path, model_url: str, cores: frozenset[int] | None) -> None:
        super().__init__(home, model_url, cores)
        self.port = urlsplit(model_url).port or 80

    async def start(self) -> None:
        """The model server runs already."""

    def request(self, prompt: str) -> bytes:
        return post(self.host, self.port, "/v1/chat/completions", openai.body(prompt))

    def decoder(self) -> Decoder:
        return openai.decoder()
