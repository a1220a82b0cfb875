"""The configuration of one NATS node. No secret is in it, so it may stand in a task definition."""

from dataclasses import dataclass

CLIENTS, ROUTES, MONITOR = 4222, 6222, 8222
STORE = "/data/js"
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
    ]
    if len(node.peers) > 1:
        lines += [
            '  unique_tag: "az:"',
            "}",
            "cluster {",
            "  name: studio",
            f"  listen: 0.0.0.0:{ROUTES}",
            "  routes: [",
        ]
        lines += [f"    nats-route://{peer}:{ROUTES}" for peer in node.peers]
        lines += ["  ]"]
    return "\n".join([*lines, "}", ""])


COMMAND = ["sh", "-c", 'printf "%s" "$NATS_CONFIG" > /tmp/nats.conf && exec nats-server --config /tmp/nats.conf']
"""The official image has no file of ours in it, and needs none."""

CHECK = ["CMD", "wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{MONITOR}/healthz?js-enabled-only=true"]
