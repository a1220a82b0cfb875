"""What a user of the bus may do, and the parts of which such permissions are made.

Nobody but who declares streams may make a consumer: the server delivers to any subject that a consumer names, so who
makes one can say anything to anybody, past every permission.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contracts.subjects import DEAD, DELIVERIES, RPC, STREAM_SUBJECTS
from kit.bus.blobs import BUCKET
from kit.bus.blobs import STREAM as BLOB_STREAM
from kit.bus.streams import HANDLED_ORDERS, HEARD_FACTS, INFERENCE_CONSUMER, consumer_configs, consumers_of

ANY_OF = "*"


@dataclass(frozen=True)
class Permissions:
    """The subjects on which a user may publish and to which it may subscribe; nothing else.

    `answers`: it may answer each request that it gets, once, wherever the answer is to go.
    """

    publish: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    never_publish: tuple[str, ...] = ()
    answers: bool = False

    def __add__(self, other: "Permissions") -> "Permissions":
        """Both together, each subject once."""
        return Permissions(
            tuple(dict.fromkeys(self.publish + other.publish)),
            tuple(dict.fromkeys(self.subscribe + other.subscribe)),
            tuple(dict.fromkeys(self.never_publish + other.never_publish)),
            self.answers or other.answers,
        )


def together(parts: Iterable[Permissions]) -> Permissions:
    """All of them."""
    return sum(parts, Permissions())


def publishes(*subjects: str) -> Permissions:
    """May say this."""
    return Permissions(publish=tuple(_any(subject) for subject in subjects))


def hears(*subjects: str) -> Permissions:
    """May listen to this."""
    return Permissions(subscribe=tuple(_any(subject) for subject in subjects))


def serves(service: str) -> Permissions:
    """Takes its own requests, and what its consumers bring; answers and acknowledges."""
    allowed = Permissions(subscribe=(RPC.format(service=service, verb=ANY_OF),), answers=True)
    wanted = HEARD_FACTS | {name: subject for subject, name in HANDLED_ORDERS.items()}
    for stream, name in consumers_of(service):
        allowed += publishes(f"$JS.API.CONSUMER.INFO.{stream}.{name}", f"$JS.ACK.{stream}.{name}.>")
        if name == INFERENCE_CONSUMER:
            allowed += publishes(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}")
        else:
            allowed += hears(DELIVERIES.format(consumer=name)) + publishes(DEAD.format(subject=wanted[name]))
    return allowed


def reads(stream: str) -> Permissions:
    """May read a stream, all of it, and change nothing."""
    return publishes(*(f"$JS.API.{call}.{stream}" for call in ("STREAM.INFO", "DIRECT.GET", "STREAM.MSG.GET")))


def purges(stream: str) -> Permissions:
    """May take messages out of a stream."""
    return publishes(f"$JS.API.STREAM.PURGE.{stream}")


def keeps_long_texts() -> Permissions:
    """May put, get and drop what is too long for a message."""
    return reads(BLOB_STREAM) + purges(BLOB_STREAM) + publishes(f"$O.{BUCKET}.C.*", f"$O.{BUCKET}.M.*")


def declares() -> Permissions:
    """May make streams and consumers, exactly those of kit/bus/streams.py."""
    streams = [
        publishes(*(f"$JS.API.STREAM.{call}.{name}" for call in ("CREATE", "UPDATE", "INFO")))
        for name in (*STREAM_SUBJECTS, BLOB_STREAM)
    ]
    names = [(stream, config["durable_name"]) for stream, config in consumer_configs()]
    return together(streams) + publishes(
        *(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{name}" for stream, name in names)
    )


def _any(template: str) -> str:
    """A subject of contracts/subjects.py with a wildcard for each name in it."""
    return re.sub(r"\{\w+\}", ANY_OF, template)
