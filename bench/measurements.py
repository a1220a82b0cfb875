"""Everything that one call of `python -m bench` finds."""

import msgspec

from bench.rows import Row


class MemoryRow(msgspec.Struct, kw_only=True):
    """MiB over all processes of a target; `per_stream` is the growth of PSS."""

    target: str
    streams: int
    idle_rss: float
    idle_pss: float
    loaded_pss: float
    per_stream: float
    growth_by_process: dict[str, float]


class StartRow(msgspec.Struct, kw_only=True):
    """Seconds from the start of the process."""

    target: str
    kind: str
    ready: float
    first_token: float


class CeilingRow(msgspec.Struct, kw_only=True):
    """The highest load on one core that still arrives in time."""

    target: str
    tokens_per_second: int
    p50: float
    p99: float
    """Like p50 of the steady window, in which all streams run."""
    whole_p99: float
    cpu_per_million: float
    first_failing: int
    failing_p99: float
    failing_delivered: float
    """At the first failing step, the part of what was offered that arrived in time."""


class HerdRow(msgspec.Struct, kw_only=True):
    """Many watchers that lost their connections at once; seconds until each had its first missed token, live in ms."""

    target: str
    watchers: int
    failed: int
    lost: int
    duplicated: int
    out_of_order: int
    served_p50: float
    served_max: float
    live_p50: float
    live_p99: float
    """While the herd was being served."""
    live_whole_p99: float
    """Also before, while a thousand runs were started, and after."""
    live_failed: int
    cpu_by_process: dict[str, float]
    """Seconds, while the herd was being served; the live streams and the runs themselves are in it."""
    noise: float
    errors: list[str]


class ReadersRow(msgspec.Struct, kw_only=True):
    """Normal streams without and with clients that never read. Times in ms, the edge's RSS in MiB."""

    target: str
    stuck: int
    half: int
    silent: int
    connected: int
    """Of all three kinds, those that the edge has not sent away when everything was measured."""
    full: int
    """Connections with something in the kernel that their client does not take."""
    alone_p99: list[float]
    beside_p99: list[float]
    alone_steady_p99: list[float]
    beside_steady_p99: list[float]
    interval: tuple[float, float]
    steady_interval: tuple[float, float]
    failed: int
    """Normal streams, beside the stuck ones."""
    edge_before: float
    edge_filled: float
    edge_during: float
    edge_peak: float
    edge_after: float
    edge_kib_per_client: float
    kernel_kib_per_client: float
    waiting_kib: float
    """Of one full connection, what waits in the kernel (median)."""
    thawed: int
    damage: list[str]
    """What was lost, double or out of order for those who read after all, and for the watchers of the chatty runs."""
    errors: list[str]


class LanesRow(msgspec.Struct, kw_only=True):
    """The first token of single runs, and of the fastest lane of comparisons, without the model's delay; ms."""

    target: str
    lanes: int
    pairs: int
    single_p50: float
    interval: tuple[float, float]
    """Where 95 of 100 single runs lie."""
    fastest_p50: float
    fastest_p90: float


class Measurements(msgspec.Struct, kw_only=True):
    """Everything one call of `python -m bench` found."""

    taken_at: str
    machine: dict[str, str]
    loads: dict[str, str] = msgspec.field(default_factory=dict)
    """Titles of the scenarios by name."""
    rows: list[Row] = msgspec.field(default_factory=list)
    memory: list[MemoryRow] = msgspec.field(default_factory=list)
    starts: list[StartRow] = msgspec.field(default_factory=list)
    herds: list[HerdRow] = msgspec.field(default_factory=list)
    ceilings: list[CeilingRow] = msgspec.field(default_factory=list)
    readers: list[ReadersRow] = msgspec.field(default_factory=list)
    lanes: list[LanesRow] = msgspec.field(default_factory=list)

    def of(self, scenario: str, target: str) -> list[Row]:
        return [row for row in self.rows if row.scenario == scenario and row.target == target]
