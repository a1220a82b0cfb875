"""Texts too long for a message, kept in a JetStream object store and carried by reference."""

import asyncio
import contextlib
from base64 import urlsafe_b64decode
from hashlib import sha256

import msgspec
from nats.js.api import ObjectInfo, ObjectMeta, StorageType
from nats.js.errors import BucketNotFoundError, NotFoundError
from nats.js.object_store import ObjectStore

from kit.bus.api import next_message
from kit.bus.connection import Bus

BUCKET = "blobs"
STREAM = f"OBJ_{BUCKET}"
MAX_INLINE_BYTES = 100 * 1024
"""Longer texts go by reference: two of them and the rest of the message still fit into the stream's 256 KiB."""
MAX_AGE_SECONDS = 30 * 24 * 3600
TIMEOUT_SECONDS = 30.0
MAX_BYTES_PER_CHARACTER = 6  # \u0000: what JSON makes of a control character


class BlobGoneError(Exception):
    """The text behind a reference no longer exists."""


class Blobs:
    """Puts and gets of one process. The same name put twice holds the later content."""

    def __init__(self, bus: Bus, replicas: int) -> None:
        self._bus = bus
        self._replicas = replicas
        self._store: ObjectStore | None = None

    async def put(self, name: str, data: bytes) -> str:
        """Keep `data`; returns the reference to it."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            store = await self._open()
            await store.put(name, data, meta=ObjectMeta(name=name))
        return name

    async def inline_or_kept(self, name: str, text: str) -> tuple[str | None, str | None]:
        """The text itself if a message can carry it, otherwise a reference to it: one of the two is None."""
        if (
            len(text) * MAX_BYTES_PER_CHARACTER <= MAX_INLINE_BYTES
            or len(msgspec.json.encode(text)) <= MAX_INLINE_BYTES
        ):
            return text, None
        return None, await self.put(name, text.encode())

    async def text(self, text: str | None, reference: str | None) -> str:
        """The other way round: the text, from wherever it is. Raises BlobGoneError."""
        return text or "" if reference is None else (await self.get(reference)).decode()

    async def get(self, reference: str) -> bytes:
        """The data behind a reference. Raises BlobGoneError."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            store = await self._open()
            try:
                info = await store.get_info(reference)
            except NotFoundError as error:
                raise BlobGoneError(f"{reference} is no longer kept") from error
            return await self._content(reference, info)

    async def take(self, reference: str) -> bytes:
        """The data behind a reference, for its only reader: it is not kept any longer. Raises BlobGoneError."""
        data = await self.get(reference)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            store = await self._open()
            await store.delete(reference)
        return data

    async def drop(self, reference: str) -> None:
        """Keep it no longer; one that is not kept is no harm."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            store = await self._open()
            with contextlib.suppress(NotFoundError):
                await store.delete(reference)

    async def _content(self, reference: str, info: ObjectInfo) -> bytes:
        """What nats-py's `get` gives, without the consumer that it makes (kit/bus/api.py says why)."""
        data, last = bytearray(), 0
        while len(data) < (info.size or 0):
            chunk = await next_message(self._bus, STREAM, f"$O.{BUCKET}.C.{info.nuid}", last + 1)
            if chunk is None:
                raise BlobGoneError(f"{reference} is no longer kept")
            data += chunk.data
            last = chunk.sequence
        if data and urlsafe_b64decode((info.digest or "").partition("=")[2]) != sha256(data).digest():
            raise BlobGoneError(f"{reference} is not as it was when it was put")
        return bytes(data)

    async def declare(self) -> None:
        """Make the store if it is not there."""
        await self._open()

    async def _open(self) -> ObjectStore:
        if self._store is None:
            js = self._bus.client.jetstream()
            try:
                self._store = await js.object_store(BUCKET)
            except BucketNotFoundError:
                self._store = await js.create_object_store(
                    BUCKET, ttl=MAX_AGE_SECONDS, storage=StorageType.FILE, replicas=self._replicas
                )
        return self._store
