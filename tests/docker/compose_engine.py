"""Docker and Compose, as compose_check.py uses them. Standard library only."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"studio-check-{os.getpid()}"
IMAGE, PROXY_IMAGE = f"{PROJECT}:check", f"{PROJECT}-proxy:check"
BASE_IMAGES = ("python:3.11-slim", "nats:2-alpine", "postgres:16", "axllent/mailpit:latest")
SETTINGS = ("STUDIO_", "COMPOSE_", "OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "AZURE_", "AWS_")
FILES = ["compose.yaml"]
"""Which files the stack is made of; a check may add some."""

PULL_SECONDS, READY_SECONDS, COMMAND_SECONDS = 180, 180, 180


class CannotRunError(Exception):
    """It cannot be tried on this machine; nothing is wrong with the product."""


def environment() -> dict[str, str]:
    """What compose is given: nothing of the caller's own settings, and a port that the engine chooses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    ports = {"STUDIO_EDGE_PORT": "0", "STUDIO_MAILPIT_PORT": "0"}
    images = {"STUDIO_IMAGE": IMAGE, "STUDIO_PROXY_IMAGE": PROXY_IMAGE}
    return {**kept, **ports, **images, "STUDIO_MODELS_OLLAMA_URL": "", "PYTHONPATH": ""}


def docker(*arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """Run docker; its output. Raises AssertionError with what it said."""
    command = ["docker", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-4000:]}"
    return done.stdout.strip()


def compose(*arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """Run docker compose for our project. An empty .env: the caller's own is none of our business."""
    return docker(*_compose(), *arguments, seconds=seconds)


def _compose() -> list[str]:
    files = [option for file in FILES for option in ("-f", file)]
    return ["compose", "--env-file", os.devnull, "-p", PROJECT, *files]


def say(text: str) -> None:
    """One line of the protocol."""
    print(f"compose | {text}", flush=True)


def require_engine() -> None:
    """Raises CannotRunError with the reason."""
    if shutil.which("docker") is None:
        raise CannotRunError("there is no docker on the PATH")
    for command, what in ((("version",), "no Docker engine answers"), (("compose", "version"), "no Docker Compose")):
        try:
            docker(*command, seconds=20)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            raise CannotRunError(f"{what}: {str(error).strip().splitlines()[-1]}") from None
    for image in BASE_IMAGES:
        try:
            docker("image", "inspect", image)
        except AssertionError:
            try:
                docker("pull", "--quiet", image, seconds=PULL_SECONDS)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                reason = str(error).strip().splitlines()[-1]
                raise CannotRunError(f"the image {image} is not here and cannot be pulled: {reason}") from None


def containers(service: str) -> list[dict[str, Any]]:
    """What the engine knows about a service's containers."""
    ids = compose("ps", "--all", "--quiet", service).split()
    return list(json.loads(docker("inspect", *ids))) if ids else []


def container(id_: str) -> dict[str, Any]:
    """What the engine knows about one container now."""
    return dict(json.loads(docker("inspect", id_))[0])


def logs(id_: str, since: str) -> list[str]:
    """What a container has written since a moment, as the engine tells moments."""
    command = ["docker", "logs", "--since", since, id_]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=COMMAND_SECONDS)
    return (done.stdout + done.stderr).splitlines()


def up(*arguments: str) -> float:
    """Start and wait until all are healthy; the seconds it took."""
    began = time.monotonic()
    compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", str(READY_SECONDS), *arguments, seconds=300)
    return time.monotonic() - began


def remove() -> None:
    """Leave nothing."""
    down = ["docker", *_compose(), "down", "--volumes", "--remove-orphans"]
    for arguments in (down, ["docker", "image", "rm", IMAGE, PROXY_IMAGE]):
        subprocess.run(arguments, cwd=ROOT, env=environment(), capture_output=True, timeout=COMMAND_SECONDS)


def left_behind() -> list[str]:
    """What of ours is still there."""
    label = f"label=com.docker.compose.project={PROJECT}"
    kinds = (("ps", "--all"), ("volume", "ls"), ("network", "ls"))
    return [line for kind in kinds for line in docker(*kind, "--quiet", "--filter", label).split()]


def kill_by_host_pid(*victims: dict[str, Any]) -> None:
    """SIGKILL from beside them: `docker kill` counts as stopped by hand, and then nothing is restarted."""
    pids = [str(victim["State"]["Pid"]) for victim in victims]
    code = "import os, sys; [os.kill(int(pid), 9) for pid in sys.argv[1:]]"
    docker("run", "--rm", "--pid=host", "--user=0", "--network=none", IMAGE, "python", "-c", code, *pids)


def show_logs() -> None:
    """The last lines of everybody, for who looks at a failure."""
    logs = ["docker", *_compose(), "logs", "--tail", "30"]
    subprocess.run(logs, cwd=ROOT, env=environment(), timeout=COMMAND_SECONDS, stderr=subprocess.STDOUT)
