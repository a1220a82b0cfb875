"""The text of a file that somebody gave, found in a process of its own with limits of time, memory and output."""

import asyncio
import base64
import binascii
import contextlib
import json
import logging
import mimetypes
import os
import signal
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from kit.orchestrate.wording import without_nul
from kit.refusal import Refused
from kit.settings import ArchitectSettings

log = logging.getLogger(__name__)

PROGRAM = str(Path(__file__).with_name("file_reading.py"))
UNKNOWN_TYPE = "application/octet-stream"
MAX_BYTES_PER_CHARACTER = 12
"""Of the reader's JSON: a character outside the first plane is two escapes of six."""
SPARE_BYTES = 10_000
MAX_ENDING_CHARACTERS = 16
_MORE_TYPES = {".md": "text/markdown", ".yaml": "application/yaml", ".yml": "application/yaml", ".log": "text/plain"}


def decoded(data: str, limits: ArchitectSettings) -> bytes:
    """The bytes of a file. Raises Refused if there are too many, or it is not base64."""
    if len(data) * 3 // 4 - 2 > limits.max_file_bytes:
        raise _too_large(f"The file has about {len(data) * 3 // 4} bytes; the limit is {limits.max_file_bytes}.")
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("file_unreadable", "The data of the file is not base64.") from error
    if len(found) > limits.max_file_bytes:
        raise _too_large(f"The file has {len(found)} bytes; the limit is {limits.max_file_bytes}.")
    return found


def ending_of(name: str, media_type: str) -> str:
    """What tells of which kind a file is: the ending of its name, or the type that the client says."""
    ending = PurePosixPath(name.strip()).suffix.lower()
    if 1 < len(ending) <= MAX_ENDING_CHARACTERS:
        return ending
    return mimetypes.guess_extension(media_type.partition(";")[0].strip()) or ""


def media_type_of(name: str, media_type: str) -> str:
    """The type that the client says, or the one that its name stands for."""
    told = media_type.partition(";")[0].strip().lower()
    if told and told != UNKNOWN_TYPE:
        return told
    ending = ending_of(name, "")
    return _MORE_TYPES.get(ending) or mimetypes.guess_type(f"file{ending}")[0] or UNKNOWN_TYPE


class FileReaders:
    """Reads files, a few at a time: each takes memory and a processor."""

    def __init__(self, limits: ArchitectSettings) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(limits.file_readers)

    async def text(self, name: str, ending: str, data: bytes) -> str:
        """The text of a file. Raises Refused with `file_unreadable` or `file_too_large`."""
        async with self._free:
            told = await self._read(name, ending, data)
        if (problem := told.get("problem")) is not None:
            raise _unreadable(name, str(problem))
        limit, characters = self._limits.max_file_characters, int(told["characters"])
        if characters > limit:
            raise _too_large(f"The text of the file has {characters} characters; the limit is {limit}.")
        return without_nul(str(told["text"]))

    async def _read(self, name: str, ending: str, data: bytes) -> dict[str, Any]:
        limits = self._limits
        numbers = (limits.max_file_characters, limits.file_memory_bytes, limits.file_seconds)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-X", "utf8", PROGRAM, ending, *map(str, numbers)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},  # our settings, with their secrets, are none of its business
            cwd="/",
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limits.file_seconds):
                output, errors = await self._talk(process, data)
                await process.wait()
        except TimeoutError:
            raise _unreadable(name, f"Reading it takes longer than {limits.file_seconds:g} seconds.") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if errors:
            log.info("a file (%s) could not be read: %s", ending, errors.decode(errors="replace"))
        try:
            told = json.loads(output)
        except ValueError:
            told = None
        if isinstance(told, dict):
            return told
        raise _unreadable(name, "It takes more memory or time to read than a file may. Split it, or save it as text.")

    async def _talk(self, process: asyncio.subprocess.Process, data: bytes) -> tuple[bytes, bytes]:
        """Give it the file, and take no more of what it says than it may say."""
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None  # noqa: S101, PT018  (they are pipes)
        most = self._limits.max_file_characters * MAX_BYTES_PER_CHARACTER + SPARE_BYTES

        async def give(to: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):  # it has ended before it had all
                to.write(data)
                await to.drain()
                to.close()

        _, output, errors = await asyncio.gather(
            give(process.stdin), _take(process.stdout, most), _take(process.stderr, SPARE_BYTES)
        )
        return output, errors


async def _take(stream: asyncio.StreamReader, most: int) -> bytes:
    """What a stream says, and nothing at all if that is too much."""
    parts, size = [], 0
    while part := await stream.read(65_536):
        size += len(part)
        if size <= most:
            parts.append(part)
    return b"".join(parts) if size <= most else b""


def _unreadable(name: str, why: str) -> Refused:
    return Refused("file_unreadable", f"The file {name!r} cannot be read. {why}")


def _too_large(message: str) -> Refused:
    return Refused("file_too_large", message)
