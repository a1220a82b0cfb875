"""What the runner is told on its command line."""

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

MODES = (
    "mixed",
    "takeover",
    "cancel",
    "rolling",
    "soak",
    "zombie",
    "compare",
    "assistants",
    "long",
    "notify",
    "releases",
)


@dataclass(frozen=True)
class Options:
    """Units are in the names; counts have none."""

    mode: str = "mixed"
    seed: int = 1
    nodes: int = 1
    streams: int = 12
    kills_per_kind: int = 25
    pauses_per_kind: int = 6
    drops: int = 10
    kinds: tuple[str, ...] = ()
    at_once: int = 1
    count: int = 0
    minutes: float = 10.0
    silence: float = 360.0
    before: str = ""
    """Of `releases`: the commit that is the other version; empty: the release before."""
    short: bool = False
    """Of `releases`: one replica of each service is replaced, all at once, and back."""
    folder: Path | None = None
    keep: bool = False
    goals: bool = True

    @property
    def many(self) -> int:
        """How many takeovers, cancels, comparisons, … or other runs."""
        return self.count or {
            "takeover": 50,
            "cancel": 100,
            "zombie": 5,
            "compare": 50,
            "assistants": 100,
            "notify": 100,
        }.get(self.mode, 0)


def read(words: list[str] | None = None) -> Options:
    """The options in some words. Exits with a message when they make no sense."""
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill everything and count every word.")
    add = parser.add_argument
    add("mode", nargs="?", choices=MODES, default="mixed", help="mixed (default): kills and pauses of everything")
    add("--seed", type=int, default=random.randrange(1, 1_000_000), help="the same seed gives the same plan")
    add("--nodes", type=int, choices=(1, 3), default=1, help="NATS servers; 3: a cluster, and its leader is killed")
    add("--streams", type=int, default=0, help="answers at the same time")
    add("--kills-per-kind", type=int, default=default.kills_per_kind, help="mixed: of each kind of process")
    add("--pauses-per-kind", type=int, default=default.pauses_per_kind, help="mixed: SIGSTOP and SIGCONT")
    add("--drops", type=int, default=default.drops, help="mixed: many clients lose their sockets at once")
    add("--kinds", default="", help="mixed: only these kinds of process, comma separated")
    add("--at-once", type=int, default=1, help="mixed: faults at the same time, without waiting for recovery")
    add(
        "--count",
        type=int,
        default=0,
        help="takeover, cancel, zombie, compare, assistants, notify: how many (default 50, 100, 5, 50, 100, 100)",
    )
    add(
        "--minutes",
        type=float,
        default=0,
        help="rolling (default 10), soak (default 65), long (default 66), releases (default 3, beside the deploys)",
    )
    add("--before", default="", help="releases: a tag or commit; default: the newest tag, or origin/main")
    add("--silence", type=float, default=default.silence, help="soak: seconds of silence in the middle")
    add("--short", action="store_true", help="releases: only one replica of each, all at once, and back (2 min)")
    add("--folder", type=Path, help="where everything is kept; default: a new one in the system's temporary folder")
    add("--keep", action="store_true", help="keep the folder also when nothing is wrong")
    add("--no-goals", dest="goals", action="store_false", help="only print the goals: a slow machine breaks no promise")
    told = vars(parser.parse_args(words))
    told["kinds"] = tuple(kind for kind in told["kinds"].split(",") if kind)
    told["streams"] = told["streams"] or {
        "rolling": 100,
        "soak": 1,
        "takeover": 4,
        "compare": 4,
        "assistants": 4,
        "notify": 6,
    }.get(told["mode"], default.streams)
    told["minutes"] = told["minutes"] or {"soak": 65.0, "long": 66.0, "releases": 3.0}.get(
        told["mode"], default.minutes
    )
    return Options(**told)
