"""Headers as the email library would not write them by itself."""

from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any


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


def mail_policy() -> "EmailPolicy[EmailMessage]":
    """How our mails are written: lines as SMTP wants them, and nothing but ASCII."""
    registry = HeaderRegistry()
    registry.map_to_type("list-unsubscribe", WholeHeader)  # type: ignore[arg-type]
    return SMTP.clone(header_factory=registry, cte_type="7bit")
