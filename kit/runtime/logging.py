"""Log lines of one process: one record is one line, with the service's name and without secrets."""

import logging
import re
import sys
import time
from collections.abc import Iterable

from kit.runtime.output import RECORD_LINE_END

_PASSWORD_IN_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s@]+@")
_BEARER = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]+")
SHORTEST_SECRET_CHARACTERS = 8  # hiding shorter texts would hide ordinary words
HIDDEN = "***"


class OneLine(logging.Formatter):
    """`12:00:00.123 INFO chat services.chat.handlers: text`; line ends inside a record are shown as `⏎`."""

    def __init__(self, service: str, secrets: Iterable[str] = ()) -> None:
        super().__init__(
            f"%(asctime)s.%(msecs)03dZ %(levelname)s {service} %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime
        self._secrets = tuple(secret for secret in secrets if len(secret) >= SHORTEST_SECRET_CHARACTERS)

    def format(self, record: logging.LogRecord) -> str:
        """Render the record with its traceback, hide secrets, join the lines."""
        text = _BEARER.sub(rf"\1{HIDDEN}", _PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", super().format(record)))
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return RECORD_LINE_END.join(text.splitlines())


def configure(service: str, level: str, secrets: Iterable[str] = ()) -> None:
    """Send all records of this process to standard error. `secrets` are texts that must never be printed."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(service, secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The supervisor's pipe is gone when we are being stopped; that is no reason for a traceback per line.
    logging.raiseExceptions = False
