"""How an attempt to send something may end, other than well. Whatever sends raises one of these two."""


class LaterError(Exception):
    """It did not work now, and may work later: nobody answers, or the other side asks to wait.

    `code` is for programs, the text for people. `after_seconds`: what the other side asked for.
    """

    def __init__(self, code: str, message: str, after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.code, self.after_seconds = code, after_seconds


class NeverError(Exception):
    """It will not work, however often it is tried. `code` is for programs, the text for people.

    `target_is_bad`: nothing else will get there either: the mailbox does not exist, the webhook is gone.
    """

    def __init__(self, code: str, message: str, *, target_is_bad: bool = False) -> None:
        super().__init__(message)
        self.code, self.target_is_bad = code, target_is_bad
