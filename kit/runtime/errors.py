"""The one error that is meant for a person: it is printed as a line, never as a traceback."""


class StartError(Exception):
    """Something could not start. The text says what happened and what to do next, on one line."""
