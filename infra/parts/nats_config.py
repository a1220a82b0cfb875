"""The configuration of one NATS node. No secret is in it, so it may stand in a task definition."""

import json
from dataclasses import dataclass

from kit.bus.server_config import GREETING_DELAY_SECONDS, HANDSHAKE_SECONDS, permissions_of
from services.permissions import permissions

CLIENTS, ROUTES, MONITOR = 4222, 6222, 8222
STORE = "/data/js"
FILES = "/tmp"  # noqa: S108 - it is memory, and nobody else's
MAX_PAYLOAD_BYTES = 1024 * 1024
STORE_SHARE = 0.8
"""Of the disk; the rest is for what the file system and a restore need."""
LAME_DUCK_SECONDS = 30
STOP_SECONDS = 60
"""From SIGTERM to SIGKILL: longer than the lame duck, in which clients are sent to other nodes."""


@dataclass(frozen=True)
class Node:
    """One of the servers; its name stays when it is started anew, or its peers would wait for the old one."""

    name: str
    zone: str
    disk_gib: int
    peers: tuple[str, ...]
    """Host names of all nodes, itself included; one alone is no cluster."""
    keyed: bool = False
    """Only keys open it, and it speaks TLS with everybody."""

    @property
    def host(self) -> str:
        """Its own."""
        return next(peer for peer in self.peers if peer.partition(".")[0] == self.name)


def config(node: Node) -> str:
    """What `nats-server --config` reads."""
    lines = [
        f"server_name: {node.name}",
        f"listen: 0.0.0.0:{CLIENTS}",
        f"http: 127.0.0.1:{MONITOR}",
        f"max_payload: {MAX_PAYLOAD_BYTES}",
        f'lame_duck_duration: "{LAME_DUCK_SECONDS}s"',
        'lame_duck_grace_period: "2s"',
        f'server_tags: ["az:{node.zone}"]',
        "jetstream {",
        f"  store_dir: {STORE}",
        f"  max_file_store: {int(node.disk_gib * STORE_SHARE)}GiB",
        '  sync_interval: "100ms"',
        *(['  unique_tag: "az:"'] if len(node.peers) > 1 else []),
        "}",
        *(_keyed(node) if node.keyed else []),
        *(_cluster(node) if len(node.peers) > 1 else []),
    ]
    return "\n".join([*lines, ""])


def _cluster(node: Node) -> list[str]:
    return [
        "cluster {",
        "  name: studio",
        f"  listen: 0.0.0.0:{ROUTES}",
        "  routes: [",
        *(f"    nats-route://{peer}:{ROUTES}" for peer in node.peers),
        "  ]",
        # A node shows its certificate to those it calls as well: nobody else has one of this authority.
        *([f"  advertise: {node.host}:{ROUTES}", *_tls("  ", f"ca_file: {FILES}/authority.pem", "verify: true")]
          if node.keyed else []),
        "}",
    ]  # fmt: skip


def _keyed(node: Node) -> list[str]:
    """What each user may is the code's; the public half of his key comes from a variable, which the server reads."""
    users = [
        f"    {{nkey: ${variable_of(user)}, permissions: {json.dumps(permissions_of(allowed))}}}"
        for user, allowed in sorted(permissions().items())
    ]
    return [
        # What it tells clients of itself: a name that its certificate has, and no address.
        f"client_advertise: {node.host}:{CLIENTS}",
        *_tls("", f'handshake_first: "{GREETING_DELAY_SECONDS}s"', f"timeout: {HANDSHAKE_SECONDS}"),
        "authorization {",
        "  users: [",
        *users,
        "  ]",
        "}",
    ]


def _tls(indent: str, *more: str) -> list[str]:
    files = [f"cert_file: {FILES}/server.pem", f"key_file: {FILES}/server.key", *more]
    return [f"{indent}tls {{", *(f"{indent}  {line}" for line in files), f"{indent}}}"]


def variable_of(user: str) -> str:
    """Which has the public half of a user's key."""
    return f"BUS_KEY_{user.upper()}"


def command(*, keyed: bool) -> list[str]:
    """The official image has no file of ours in it, and needs none: each is written where only memory is."""
    written = {"NATS_CONFIG": "nats.conf"}
    if keyed:
        written |= {"NATS_CERTIFICATE": "server.pem", "NATS_KEY": "server.key", "NATS_AUTHORITY": "authority.pem"}
    steps = [f'printf "%s" "${variable}" > {FILES}/{file}' for variable, file in written.items()]
    return ["sh", "-c", " && ".join(["umask 077", *steps, f"exec nats-server --config {FILES}/nats.conf"])]


_ASKED = f"http://127.0.0.1:{MONITOR}"
_SERVES = f"{_ASKED}/healthz?js-enabled-only=true"


def check(node: Node) -> list[str]:
    """What ECS runs in the container to see that a node works, and waits for before it goes on to the next one.

    In a cluster that has a leader a node works when it has all that the others have. Without a leader it works when it
    serves: three that begin wait for each other, and one that has lost the others must not be replaced, for it may be
    the last that has what they had.
    """
    if len(node.peers) == 1:
        return ["CMD", "wget", "-q", "-O", "/dev/null", _SERVES]
    led = f"wget -q -O - {_ASKED}/jsz | grep -q '\"leader\"'"
    whole, serves = (f"wget -q -O /dev/null '{address}'" for address in (f"{_ASKED}/healthz", _SERVES))
    return ["CMD-SHELL", f"if {led}; then {whole}; else {serves}; fi"]
