"""The containers, tried for real: build, start, ask, scale, kill, stop, start again, remove. `task compose:test`

Kills are in compose_kills.py, SIGTERM to each in compose_stops.py, how long starts take in compose_starts.py, and what
people do meanwhile in compose_client.py and compose_runs.py.

With `--secure` the same with compose.secure.yaml, the bus that only keys open. Standard library only. Exit code 0:
everything held, or it cannot be tried here and CI is set (it says why).
"""

import ast
import json
import os
import subprocess
import sys
import time
from http.client import HTTPException

from compose_client import ANSWER_SECONDS, answer, connection, mails, messages
from compose_engine import (
    BASE_IMAGES,
    FILES,
    IMAGE,
    ROOT,
    CannotRunError,
    compose,
    containers,
    docker,
    left_behind,
    remove,
    require_engine,
    say,
    show_logs,
    up,
)
from compose_kills import check_killed_edges, check_killed_workers
from compose_starts import all_started, check_starts, started_again
from compose_stops import check_stops

ROSTER = ast.parse((ROOT / "services" / "roster.py").read_text())  # nothing that it needs is installed here
OURS = tuple(
    ast.literal_eval(node.args[0])
    for node in ast.walk(ROSTER)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ServiceSpec"
)
BUILD_SECONDS = 900
SECURE = "compose.secure.yaml"


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


def check_smoke_command() -> None:
    """What README.md says to try."""
    said = compose("exec", "-T", "edge", "python", "-m", "services", "ask", "Hello")
    assert len(said.split()) > 3, said
    say("README's command has an answer")


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
    codes = {(service, one["State"]["ExitCode"]) for service in (*OURS, "nats", "proxy") for one in containers(service)}
    assert not any(code for _, code in codes), f"exit codes after SIGTERM: {sorted(codes)}"
    say(f"everything stopped by itself in {time.monotonic() - began:.1f} s")


def check() -> None:
    """Every step, in order."""
    check_build()
    say(f"ready in {up():.1f} s")
    starts = all_started(OURS)
    began = time.monotonic()
    kept = answer("Hello")
    say(f"one answer, token by token, stored as seen, in {time.monotonic() - began:.1f} s")
    check_smoke_command()
    check_confinement()
    say(f"scaled to two chats in {up('--scale', 'chat=2'):.1f} s")
    for _ in range(4):
        answer("Hello")
    check_killed_workers()
    check_killed_edges()
    check_mail()
    check_stop()
    seconds = up()
    assert len(messages(kept)) == 2, "the conversation is gone after a restart"
    answer("Hello again")
    say(f"started again in {seconds:.1f} s, with its data")
    starts += check_stops(OURS)
    starts += started_again("migrate", "declare")
    check_starts(starts)


def main() -> int:
    """Try it."""
    began = time.monotonic()
    try:
        require_engine()
    except CannotRunError as reason:
        say(f"NOT TRIED: {reason}")
        return 0 if os.environ.get("CI") else 1
    if "--secure" in sys.argv:
        FILES.append(SECURE)
    try:
        check()
        remove()
        assert not (left := left_behind()), f"`down --volumes` leaves {left}"
        say("`down --volumes` leaves nothing")
    except (AssertionError, OSError, HTTPException, ValueError, subprocess.TimeoutExpired) as error:
        say(f"FAILED: {error or type(error).__name__}")
        show_logs()
        return 1
    finally:
        remove()
    say(f"everything held, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
