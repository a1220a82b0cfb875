"""The containers, tried for real: build, start, ask, scale, kill, stop, start again, remove. `task compose:test`

Standard library only. Exit code 0: everything held, or it cannot be tried here and CI is set (it says why).
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"studio-check-{os.getpid()}"
IMAGE = f"{PROJECT}:check"
BASE_IMAGES = ("python:3.11-slim", "nats:2-alpine", "postgres:16", "axllent/mailpit:latest")
OURS = ("edge", "chat", "compare", "architect", "notifier", "inference")
SETTINGS = ("STUDIO_", "COMPOSE_", "OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE", "AZURE_", "AWS_")
ENDINGS = {"run.completed", "run.failed", "run.cancelled"}

BUILD_SECONDS, PULL_SECONDS, READY_SECONDS, COMMAND_SECONDS = 600, 180, 120, 120
ANSWER_SECONDS = 60
SILENCE_SECONDS = 30  # a killed worker's work is taken over within 10 s


class CannotRunError(Exception):
    """It cannot be tried on this machine; nothing is wrong with the product."""


def environment() -> dict[str, str]:
    """What compose is given: nothing of the caller's own settings, and a port that the engine chooses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    ports = {"STUDIO_EDGE_PORT": "0", "STUDIO_MAILPIT_PORT": "0"}
    return {**kept, **ports, "STUDIO_IMAGE": IMAGE, "STUDIO_MODELS_OLLAMA_URL": "", "PYTHONPATH": ""}


def docker(*arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """Run docker; its output. Raises AssertionError with what it said."""
    command = ["docker", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-4000:]}"
    return done.stdout.strip()


def compose(*arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """Run docker compose for our project. An empty .env: the caller's own is none of our business."""
    return docker("compose", "--env-file", os.devnull, "-p", PROJECT, *arguments, seconds=seconds)


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


def connection(service: str = "edge", inside: str = "8484") -> HTTPConnection:
    """To a service, wherever it is published now."""
    host, _, port = compose("port", service, inside).rpartition(":")
    assert host == "127.0.0.1", f"{service} is published on {host}"
    return HTTPConnection(host, int(port), timeout=SILENCE_SECONDS)


def events(content: str, model: str, conversation: str = "new") -> Iterator[tuple[str, dict[str, Any]]]:
    """Send a message; each event's cursor and data, as they come."""
    http = connection()
    body = json.dumps({"content": content, "model": model})
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    http.request("POST", f"/v1/conversations/{conversation}/messages", body, headers)
    response = http.getresponse()
    assert response.status == 200, f"HTTP {response.status}: {response.read()[:500]!r}"
    cursor, deadline = "", time.monotonic() + ANSWER_SECONDS
    for line in response:
        assert time.monotonic() < deadline, f"no ending within {ANSWER_SECONDS} s"
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            cursor = value
        elif name == "data":
            yield cursor, json.loads(value)


def answer(content: str, model: str = "demo-swift", on_token: Any = None) -> str:
    """One answer, checked: cursors that never repeat, one ending, and what was seen is what is stored."""
    seen, text, cursors = [], "", set()
    for cursor, data in events(content, model):
        assert cursor, f"an event without a cursor: {data}"
        assert cursor not in cursors, f"the cursor {cursor} came twice"
        cursors.add(cursor)
        seen.append(data)
        if data["type"] == "generation.delta":
            text += data["text"]
            if on_token is not None:
                on_token(text)
        elif data["type"] == "generation.restarted":
            text = ""  # the next worker begins again
    kinds = [data["type"] for data in seen]
    assert kinds[0] == "run.created", kinds
    assert kinds[-1] == "run.completed", seen[-1]
    assert sum(kind in ENDINGS for kind in kinds) == 1, kinds
    assert kinds.count("generation.delta") > 3, "it did not come token by token"
    stored = messages(seen[0]["conversation_id"])
    assert [message["role"] for message in stored] == ["user", "assistant"], stored
    assert stored[-1]["content"] == text, (stored[-1]["content"], text)
    return str(seen[0]["conversation_id"])


def messages(conversation: str) -> list[dict[str, Any]]:
    """What is stored."""
    http = connection()
    http.request("GET", f"/v1/conversations/{conversation}/messages")
    response = http.getresponse()
    assert response.status == 200, response.status
    return list(json.loads(response.read())["items"])


def mails() -> list[dict[str, Any]]:
    """What has arrived in the mail service, the newest first."""
    http = connection("mailpit", "8025")
    http.request("GET", "/api/v1/messages")
    return list(json.loads(http.getresponse().read())["messages"])


def up(*arguments: str) -> float:
    """Start and wait until all are healthy; the seconds it took."""
    began = time.monotonic()
    compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", str(READY_SECONDS), *arguments, seconds=300)
    return time.monotonic() - began


def check_build() -> None:
    began = time.monotonic()
    compose("build", "--quiet", seconds=BUILD_SECONDS)
    size, base = (int(docker("image", "inspect", "-f", "{{.Size}}", name)) for name in (IMAGE, BASE_IMAGES[0]))
    seconds = time.monotonic() - began
    say(f"image built in {seconds:.0f} s: {size / 1e6:.0f} MB, of which {base / 1e6:.0f} MB are {BASE_IMAGES[0]}")
    listed = docker("run", "--rm", IMAGE, "python", "-c", "import sys, os; print(os.getuid(), *sorted(os.listdir()))")
    assert listed == "10001 contracts kit services studio_client", f"user and content of the image: {listed}"


def check_confinement() -> None:
    for service in OURS:
        for container in containers(service):
            inside = docker("exec", container["Id"], "python", "-c", "import os; print(os.getuid(), os.getgid())")
            assert inside == "10001 10001", f"{service} runs as {inside}"
            assert container["HostConfig"]["ReadonlyRootfs"], f"{service} can write its root"
            assert container["HostConfig"]["CapDrop"] == ["ALL"], service
            told = " ".join(container["Config"]["Env"])
            assert "SECRET=" not in told, f"{service} has a secret in its environment"
            assert "PASSWORD=" not in told, f"{service} has a password in its environment"
    for service in ("nats", "postgres"):
        assert not any(containers(service)[0]["NetworkSettings"]["Ports"].values()), f"{service} is published"
    say("all of ours: not root, no capability, read-only, no secret in the environment; no server is published")


def check_killed_worker() -> None:
    """Kill every worker in mid-sentence: the engine restarts them, and the same answer goes on to its one ending."""
    workers = containers("inference")
    killed: list[float] = []

    def kill(text: str) -> None:
        if killed or len(text.split()) < 5:
            return
        pids = [str(worker["State"]["Pid"]) for worker in workers]
        # `docker kill` counts as stopped by hand, and then nothing is restarted; so it is done from beside them.
        code = "import os, sys; [os.kill(int(pid), 9) for pid in sys.argv[1:]]"
        docker("run", "--rm", "--pid=host", "--user=0", "--network=none", IMAGE, "python", "-c", code, *pids)
        killed.append(time.monotonic())

    answer("for 4 seconds", "demo-marathon", on_token=kill)
    assert killed
    after = containers("inference")
    assert all(worker["RestartCount"] == 1 for worker in after), [worker["RestartCount"] for worker in after]
    say(f"{len(after)} workers killed in mid-sentence and restarted; the answer ended "
        f"{time.monotonic() - killed[0]:.1f} s later, as stored")  # fmt: skip
    answer("And now?")


def check_mail() -> None:
    """A run that nobody watches: its owner gets one mail."""
    began, http = time.monotonic(), connection()
    body = json.dumps({"content": "Hello", "model": "demo-swift", "notify": "always"})
    http.request("POST", "/v1/conversations/new/messages", body, {"Content-Type": "application/json"})
    assert http.getresponse().status == 202
    while not (found := mails()):
        assert time.monotonic() - began < ANSWER_SECONDS, "no mail has arrived"
        time.sleep(0.5)
    assert [len(found), found[0]["To"][0]["Address"]] == [1, "user@localhost"], found
    say(f"the mail {found[0]['Subject']!r} arrived {time.monotonic() - began:.1f} s after the question")


def check_stop() -> None:
    began = time.monotonic()
    compose("stop")
    codes = {(service, one["State"]["ExitCode"]) for service in (*OURS, "nats") for one in containers(service)}
    assert not any(code for _, code in codes if code), f"exit codes after SIGTERM: {sorted(codes)}"
    say(f"everything stopped by itself in {time.monotonic() - began:.1f} s")


def check() -> None:
    """Every step, in order."""
    check_build()
    say(f"ready in {up():.1f} s")
    began = time.monotonic()
    kept = answer("Hello")
    say(f"one answer, token by token, stored as seen, in {time.monotonic() - began:.1f} s")
    check_confinement()
    say(f"scaled to two chats and two workers in {up('--scale', 'inference=2', '--scale', 'chat=2'):.1f} s")
    for _ in range(4):
        answer("Hello")
    check_killed_worker()
    check_mail()
    check_stop()
    seconds = up("--scale", "inference=1", "--scale", "chat=1")
    assert len(messages(kept)) == 2, "the conversation is gone after a restart"
    answer("Hello again")
    say(f"started again in {seconds:.1f} s, with its data")


def remove() -> None:
    """Leave nothing."""
    command = ["docker", "compose", "--env-file", os.devnull, "-p", PROJECT, "down", "--volumes", "--remove-orphans"]
    for arguments in (command, ["docker", "image", "rm", IMAGE]):
        subprocess.run(arguments, cwd=ROOT, env=environment(), capture_output=True, timeout=COMMAND_SECONDS)


def main() -> int:
    """Try it."""
    began = time.monotonic()
    try:
        require_engine()
    except CannotRunError as reason:
        say(f"NOT TRIED: {reason}")
        return 0 if os.environ.get("CI") else 1
    try:
        check()
    except (AssertionError, OSError, HTTPException, ValueError, subprocess.TimeoutExpired) as error:
        say(f"FAILED: {error or type(error).__name__}")
        logs = ["docker", "compose", "--env-file", os.devnull, "-p", PROJECT, "logs", "--tail", "30"]
        subprocess.run(logs, cwd=ROOT, env=environment(), timeout=COMMAND_SECONDS, stderr=subprocess.STDOUT)
        return 1
    finally:
        remove()
    say(f"everything held, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
