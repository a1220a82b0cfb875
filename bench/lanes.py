"""Do the lanes of a comparison slow each other? The first token of the fastest of eight, beside that of single runs.

Single runs and comparisons take turns, one at a time, so that both see the same machine. All models are the same mock
model under several names and write their first token at the same moment.
"""

import asyncio

from bench.client import END, OTHER, Decoder, Frame, Kind, read_stream
from bench.measurements import LanesRow
from bench.statistics import percentile
from bench.streams import StreamRecord
from bench.targets.product import MODELS, Product
from bench.tokens import Order

ORDER = Order(tokens=5, rate=50, first_token_ms=50)
SECONDS = 30.0
PAUSE_SECONDS = 0.05


async def measure_lanes(target: Product, lanes: int, pairs: int) -> LanesRow:
    """Measure both kinds in turns. The interval is where 95 of 100 single runs lie.

    Raises RuntimeError if an answer fails.
    """
    single, fastest = [], []
    for _ in range(pairs):
        single.append(await _first_token(target, target.request(ORDER.prompt())))
        fastest.append(await _first_token(target, target.endpoint.compare(ORDER.prompt(), MODELS[:lanes])))
    return LanesRow(
        target=target.name,
        lanes=lanes,
        pairs=pairs,
        single_p50=percentile(single, 0.5),
        interval=(percentile(single, 0.025), percentile(single, 0.975)),
        fastest_p50=percentile(fastest, 0.5),
        fastest_p90=percentile(fastest, 0.9),
    )


async def _first_token(target: Product, request: bytes) -> float:
    """Milliseconds from the request to the first token of any lane, without the model's delay."""
    record = StreamRecord(tokens=ORDER.tokens)
    deadline = asyncio.get_running_loop().time() + SECONDS
    await read_stream(target.host, target.port, request, first_only(target.decoder()), record, deadline)
    if record.failed or record.first_token_ms is None:
        raise RuntimeError(f"an answer failed: {record.error or 'no token'}")
    await asyncio.sleep(PAUSE_SECONDS)
    return record.first_token_ms - ORDER.first_token_ms


def first_only(decode: Decoder) -> Decoder:
    """Tells the first text and the end: what several lanes say after one another makes no sense as one answer."""
    told = False

    def decoded(data: bytes) -> Frame:
        nonlocal told
        frame = decode(data)
        if frame.kind is Kind.TEXT:
            told, before = True, told
            return OTHER if before else frame
        return frame if frame is END or frame.kind is Kind.FAILED else OTHER

    return decoded
