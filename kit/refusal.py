"""Saying no: the one error that is an answer. It lies apart from the bus, so that pure code may say it."""

from contracts.message import Problem


class Refused(Exception):  # noqa: N818  (an answer, not a defect)
    """A request that was understood and refused. Raised by handlers, and by `kit.bus.rpc.call` on the other side."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message)
