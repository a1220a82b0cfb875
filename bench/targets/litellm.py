"""The LiteLLM proxy, in a virtual environment of its own, one worker on the same core."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bench.client import Decoder
from bench.processes import free_port
from bench.targets import openai
from bench.targets.base import Target, execute, post

VERSION = "1.106.2"
VENV = Path(__file__).parents[1] / ".peers" / f"litellm-{VERSION}"
INSTALL_SECONDS = 600.0
MASTER_KEY = "sk-bench"  # it refuses to start without one


class LiteLlm(Target):
    name = "litellm"
    ready_path = "/health/liveliness"
    ready_seconds = 120.0

    def __init__(self, home: Path, model_url: str, cores: frozenset[int] | None) -> None:
        super().__init__(home, model_url, cores)
        self.port = free_port()

    async def install(self) -> None:
        if (VENV / "installed").exists():
            return
        print(f"  installing litellm[proxy]=={VERSION} (once) …", flush=True)
        VENV.parent.mkdir(exist_ok=True)
        await execute([sys.executable, "-m", "venv", str(VENV)], directory=VENV.parent, timeout=INSTALL_SECONDS)
        pip = [str(VENV / "bin" / "pip"), "install", "--quiet", f"litellm[proxy]=={VERSION}"]
        await execute(pip, directory=VENV, timeout=INSTALL_SECONDS)
        (VENV / "installed").touch()

    def command(self) -> Sequence[str]:
        model = {"model": "openai/bench", "api_base": self.model_url, "api_key": "none"}
        config = {
            "model_list": [{"model_name": "bench", "litellm_params": model}],
            "litellm_settings": {"telemetry": False, "num_retries": 0},
        }
        path = self.home / "config.yaml"
        path.write_bytes(msgspec.json.encode(config))  # JSON is YAML
        program = str(VENV / "bin" / "litellm")
        return [program, "--config", str(path), "--host", self.host, "--port", str(self.port), "--num_workers", "1"]

    def environment(self) -> Mapping[str, str]:
        return {
            "LITELLM_MASTER_KEY": MASTER_KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # otherwise it fetches a price list when it starts
            "LITELLM_LOG": "ERROR",
        }

    def request(self, prompt: str) -> bytes:
        authorization = {"authorization": f"Bearer {MASTER_KEY}"}
        return post(self.host, self.port, "/v1/chat/completions", openai.body(prompt), authorization)

    def decoder(self) -> Decoder:
        return openai.decoder()
