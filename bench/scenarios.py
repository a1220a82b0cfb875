"""The loads that are measured. Rates are tokens per second of one stream."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Load:
    """`runs` answers of `tokens` tokens, `concurrency` at a time; by default one each."""

    name: str
    title: str
    concurrency: int
    rate: float
    tokens: int
    ramp_seconds: float
    runs: int | None = None
    first_token_ms: float = 50.0
    peers: bool = True
    """Whether the peers can carry it at all."""
    unfenced: bool = False
    """Whether the variant of the product that takes no care is measured too."""


LOADS = {
    load.name: load
    for load in (
        Load("c1", "1 stream at 50 tok/s, ten answers one after another", 1, 50, 50, ramp_seconds=0, runs=10),
        Load("c20", "20 streams at 50 tok/s", 20, 50, 200, ramp_seconds=0.5),
        Load("c100", "100 streams at 50 tok/s", 100, 50, 300, ramp_seconds=1),
        Load("c300", "300 streams at 25 tok/s", 300, 25, 250, ramp_seconds=1.5),
        Load("c1000", "1 000 streams at 10 tok/s", 1_000, 10, 280, ramp_seconds=20, peers=False),
        Load("c1000-burst", "the same, started within 6 s", 1_000, 10, 150, ramp_seconds=6, peers=False),
        Load("runs", "200 runs of 2 tokens, 20 at a time", 20, 1_000, 2, 0, runs=200, first_token_ms=1),
    )
}
QUICK_LOADS = {
    load.name: load
    for load in (
        Load("c1", "1 stream at 50 tok/s, short", 1, 50, 50, ramp_seconds=0),
        Load("c20", "20 streams at 50 tok/s, short", 20, 50, 75, ramp_seconds=0.5),
        Load("c100", "100 streams at 50 tok/s, short", 100, 50, 125, ramp_seconds=0.5),
        Load("runs", "60 runs of 2 tokens, 20 at a time", 20, 1_000, 2, 0, runs=60, first_token_ms=1),
    )
}
DURABILITY = "durability"
DURABILITY_LOADS = tuple(
    replace(LOADS[name], name=f"{DURABILITY}-{name}", peers=False, unfenced=True) for name in ("c20", "c100")
)
QUICK_DURABILITY_LOADS = tuple(
    replace(QUICK_LOADS[name], name=f"{DURABILITY}-{name}", peers=False, unfenced=True) for name in ("c20", "c100")
)
WARM_UP = (
    Load("warm-up", "one after the other", 1, 1_000, 10, 0, runs=10, first_token_ms=1),
    Load("warm-up", "at once", 20, 100, 50, 0.5, runs=40, first_token_ms=1),
)

MEMORY = "memory"
START = "start"
CEILING = "ceiling"
RECONNECT = "reconnect"
READERS = "readers"
LANES = "lanes"
DEFAULT = ("c1", "c20", "c100", "runs", MEMORY, START)
QUICK = ("c1", "c20", "c100", "runs")
NAMES = (*LOADS, MEMORY, START, CEILING, RECONNECT, READERS, LANES, DURABILITY)

MEMORY_LOAD = Load(MEMORY, "200 streams at 5 tok/s", 200, 5, 50, ramp_seconds=4)
MEMORY_SETTLE_SECONDS = 2.0
"""After the last start, before memory is read."""

RECONNECT_WATCHERS = 1_000

LANES_COMPARED = 8
LANES_PAIRS = 200
LANES_QUICK_PAIRS = 20

READERS_ALONE = Load(f"{READERS}-alone", "100 streams at 50 tok/s", 100, 50, 300, ramp_seconds=1)
READERS_BESIDE = replace(READERS_ALONE, name=f"{READERS}-beside", title="the same beside clients that never read")
CONNECT_SECONDS = 10.0
"""Over which the clients that never read connect."""
CHATTY_FIRST_TOKEN_MS = 50.0


@dataclass(frozen=True, slots=True)
class Readers:
    """How many clients never read, and what they ask for."""

    stuck: int = 2_000
    half: int = 100
    """Send half a request."""
    silent: int = 100
    """Send nothing."""
    chatty_runs: int = 20
    chatty_rate: float = 10
    chatty_padding: int = 8_000
    alone_rounds: int = 5
    beside_rounds: int = 3
    thawed: int = 20
    """How many of the stuck ones read after all."""


MANY_READERS = Readers()
FEW_READERS = Readers(stuck=100, half=10, silent=10, alone_rounds=3, beside_rounds=1, thawed=10)

CEILING_RATE = 25.0
CEILING_LEAST_RAMP_SECONDS = 2.0
CEILING_STARTS_PER_SECOND = 40.0
CEILING_STEADY_SECONDS = 6.0
CEILING_LARGE_STEPS = (1_000, 2_000, 4_000, 8_000, 16_000)
_LOW_STEPS = (500, 750, 1_000, 1_250, 1_500, 1_750, 2_000, 2_500, 3_000, 4_000)
_HIGH_STEPS = (5_000, 6_000, 7_000, 8_000, 9_000, 10_000, 12_000, 14_000, 16_000)
CEILING_STEPS = (*_LOW_STEPS, *_HIGH_STEPS)
"""Tokens per second offered."""
CEILING_P99_MS = 100.0
CEILING_DELIVERED = 0.93
"""Of what is offered, the part that must arrive in time."""
