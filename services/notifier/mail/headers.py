"""Headers as the email library would not write them by itself."""

from email.header import Header
from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any

LINE = 76
"""Of characters (RFC 2047, 2)."""


class WholeHeader(UnstructuredHeader):
    """A header on one line. The library breaks and encodes a long address, and then nobody finds it (RFC 2369, 2)."""

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """Nothing in it has a meaning."""
        kwds["parse_tree"], kwds["decoded"] = None, value

    name: str

    def fold(self, *, policy: Any) -> str:
        """The line."""
        return f"{self.name}: {self}{policy.linesep}"


class SubjectHeader(WholeHeader):
    """A subject that is read as it was written.

    The library decodes what only looks like RFC 2047, and doubles blanks where it encodes a part of a text.
    """

    def fold(self, *, policy: Any) -> str:
        """Its lines."""
        value = str(self)
        plain = value.isascii() and "=?" not in value
        words = Header(value, "us-ascii" if plain else "utf-8", maxlinelen=LINE, header_name=self.name)
        return f"{self.name}: {words.encode(linesep=policy.linesep)}{policy.linesep}"


def mail_policy() -> "EmailPolicy[EmailMessage]":
    """How our mails are written: lines as SMTP wants them, and nothing but ASCII."""
    registry = HeaderRegistry()
    registry.map_to_type("list-unsubscribe", WholeHeader)  # type: ignore[arg-type]
    registry.map_to_type("subject", SubjectHeader)  # type: ignore[arg-type]
    return SMTP.clone(header_factory=registry, cte_type="7bit")
