"""E-mails as files, where there is no mail server: any mail program opens them."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from services.notifier.failures import LaterError
from services.notifier.transports.envelope import envelope_of
from services.notifier.transports.transport import HandingOver

NAME_CHARACTERS = 120


class FileTransport:
    """Writes into a folder that only its owner can read. A mail that is sent again replaces itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def start(self) -> None:
        """Nothing: the folder is made with the first mail."""

    async def stop(self) -> None:
        """Nothing is open."""

    async def send(self, message: EmailMessage, handing_over: HandingOver) -> str:
        """Write it. Raises LaterError if the disk is full, or the folder is somebody else's."""
        file = self._folder / file_name(str(message["Message-ID"]))
        with _understood(file):
            part = await asyncio.to_thread(self._write, envelope_of(message).data)
        try:
            await handing_over()
            with _understood(file):
                await asyncio.to_thread(part.replace, file)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        return str(file)

    def where(self) -> str:
        """The folder."""
        return f"e-mails are written to {self._folder}"

    def _write(self, data: bytes) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")  # nobody else may read it
        try:
            with os.fdopen(number, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name)


@contextmanager
def _understood(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise LaterError("mail_server_away", f"The e-mail cannot be written to {file}: {said}.") from error


def file_name(message_id: str) -> str:
    """The file of a Message-ID; of another one it is another file."""
    bare = message_id.strip("<> ")
    safe = re.sub(r"[^A-Za-z0-9_.@-]", "_", bare).lstrip(".")[:NAME_CHARACTERS]
    if not safe or safe != bare:
        safe = f"{safe or 'mail'}-{hashlib.sha256(bare.encode()).hexdigest()[:12]}"
    return f"{safe}.eml"
